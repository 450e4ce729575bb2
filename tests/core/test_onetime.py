from __future__ import annotations

import datetime as dt
import threading

import pytest
from django.db import connection

from core import clock, onetime
from core.models import OneTimeSecret

HOUR = dt.timedelta(hours=1)


def issue(tenant, **fields):
    return onetime.issue(
        tenant=tenant, **{"purpose": "link", "subject": "invitation:1", "ttl": HOUR} | fields
    )


@pytest.mark.django_db
def test_finds_a_token_in_any_case_and_keeps_only_its_hash(tenant):
    row, token = issue(tenant)
    assert onetime.find("link", token.upper()) == row
    assert token not in str(OneTimeSecret.objects.values().get())
    assert len(token) == 26


@pytest.mark.django_db
@pytest.mark.parametrize("token", ["", "x", "a" * 5000, "éé", "0" * 26])
def test_finds_nothing_for_a_foreign_token(tenant, token):
    issue(tenant)
    assert onetime.find("link", token) is None


@pytest.mark.django_db
def test_a_token_is_good_for_its_purpose_only(tenant):
    _row, token = issue(tenant)
    assert onetime.find("profile", token) is None


@pytest.mark.django_db
def test_an_expired_or_voided_secret_is_dead(tenant):
    row, token = issue(tenant)
    OneTimeSecret.objects.update(expires_at=clock.now())
    assert onetime.find("link", token) is None
    assert not onetime.consume(row)
    second, token = issue(tenant)
    assert onetime.void("link", "invitation:1") == 1
    assert onetime.find("link", token) is None
    assert not onetime.consume(second)


@pytest.mark.django_db
def test_voiding_can_spare_the_newest(tenant):
    old, _ = issue(tenant)
    new, _ = issue(tenant)
    assert onetime.void("link", "invitation:1", but=new) == 1
    assert not onetime.consume(old)
    assert onetime.consume(new)


@pytest.mark.django_db(transaction=True)
def test_of_twenty_at_once_exactly_one_consumes(tenant):
    row, _token = issue(tenant)
    wins, barrier = [], threading.Barrier(20)

    def attempt() -> None:
        barrier.wait()
        try:
            wins.append(onetime.consume(row))
        finally:
            connection.close()

    threads = [threading.Thread(target=attempt) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(wins) == [False] * 19 + [True]

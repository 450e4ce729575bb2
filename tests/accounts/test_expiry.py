"""Administrators hear in time that a certificate ends, once at each step."""

from __future__ import annotations

import datetime as dt

import pytest

from accounts.services import expiry
from core import clock
from core.models import KeyPurpose, OutboxMessage, StoredKey
from tests import factories
from tests.portal import path, text

pytestmark = pytest.mark.django_db


@pytest.fixture
def key(tenant):
    return StoredKey.objects.create(
        tenant=tenant,
        purpose=KeyPurpose.DEVICE_CA,
        sealed_key=b"sealed",
        certificate=b"der",
        sha256="0" * 64,
        not_after=clock.now() + dt.timedelta(days=90),
    )


def ends_in(key, days: float) -> None:
    StoredKey.objects.filter(pk=key.pk).update(
        not_after=clock.now() + dt.timedelta(days=days, minutes=1)
    )


def test_each_step_is_told_once_to_those_who_can_do_something(key, owner, admin, helpdesk, person):
    told = []
    for days in (90, 61, 59, 58, 29, 6, 5, 0.5, -1, -2):
        ends_in(key, days)
        told.append(expiry.warn_of_own_keys())
        assert expiry.warn_of_own_keys() == 0
    assert told == [0, 0, 1, 0, 1, 1, 0, 1, 1, 0]
    recipients = set(OutboxMessage.objects.values_list("recipient", flat=True))
    assert recipients == {owner.email, admin.email}


def test_a_replaced_key_is_not_told_of(key, owner):
    ends_in(key, 5)
    StoredKey.objects.update(retired_at=clock.now())
    assert expiry.warn_of_own_keys() == 0


def test_the_health_page_tells_what_ends(signed_in, owner, key, tenant, other_tenant):
    ends_in(key, 20)
    token, _ = factories.token(owner)
    type(token).objects.filter(pk=token.pk).update(expires_at=clock.now() + dt.timedelta(days=3))
    foreign = factories.user(other_tenant, "owner")
    stranger, _ = factories.token(foreign)
    type(stranger).objects.filter(pk=stranger.pk).update(
        name="Foreign", expires_at=clock.now() + dt.timedelta(days=3)
    )
    response = signed_in(owner).get(path("settings-health"))
    assert [one.tone for one in response.context["endings"]] == ["danger", "attention"]
    assert "Device identity authority" in text(response)
    assert "Foreign" not in text(response)

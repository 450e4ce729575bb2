from __future__ import annotations

import pytest

from core import history
from core.actors import Actor
from core.models import HistoryEntry
from core.services import chain

pytestmark = pytest.mark.django_db
ACTOR = Actor("user", "1", "olga@acme.test")


def write(tenant, count: int) -> None:
    for number in range(count):
        history.record(tenant, "core.tenant.changed", actor=ACTOR, data={"n": number, "e": "é😀"})


def test_seals_each_tenants_entries_into_its_own_chain(tenant, other_tenant):
    write(tenant, 3)
    write(other_tenant, 2)
    assert chain.seal_pending() == 5
    assert chain.verify(tenant.pk) == chain.ChainReport(sealed=3, unsealed=0)
    assert chain.verify(other_tenant.pk).sealed == 2


def test_goes_on_where_the_last_sealing_ended(tenant):
    write(tenant, 2)
    chain.seal_pending()
    write(tenant, 2)
    assert chain.seal_pending() == 2
    report = chain.verify(tenant.pk)
    assert (report.sealed, report.is_intact) == (4, True)


def test_sealing_twice_changes_nothing(tenant):
    write(tenant, 2)
    chain.seal_pending()
    assert chain.seal_pending() == 0


@pytest.mark.parametrize(
    "change",
    [
        {"actor_label": "somebody else"},
        {"data": {"n": 99}},
        {"action": "core.tenant.created"},
        {"object_id": "0"},
        {"ip": "192.0.2.1"},
    ],
)
def test_finds_an_edited_entry(tenant, change):
    write(tenant, 4)
    chain.seal_pending()
    HistoryEntry.objects.filter(tenant=tenant, chain_index=2).update(**change)
    assert chain.verify(tenant.pk).broken_at == 2


def test_finds_a_deleted_entry(tenant):
    write(tenant, 4)
    chain.seal_pending()
    HistoryEntry.objects.filter(tenant=tenant, chain_index=3).delete()
    assert chain.verify(tenant.pk).broken_at == 3


def test_finds_an_entry_that_was_slipped_in(tenant):
    write(tenant, 2)
    chain.seal_pending()
    history.record(tenant, "core.tenant.changed", actor=ACTOR)
    HistoryEntry.objects.unsealed().update(chain_index=3, chain_hash="f" * 64)
    assert chain.verify(tenant.pk).broken_at == 3


def test_a_change_that_is_rolled_back_leaves_no_entry(tenant):
    from django.db import transaction

    with pytest.raises(RuntimeError), transaction.atomic():
        write(tenant, 1)
        raise RuntimeError
    assert not HistoryEntry.objects.exists()


def test_nobody_sees_another_tenants_history(tenant, other_tenant, auditor, person):
    write(tenant, 1)
    write(other_tenant, 1)
    assert HistoryEntry.objects.visible_to(auditor).count() == 1
    assert not HistoryEntry.objects.visible_to(person).exists()

"""The history is kept as long as an organisation wants, and what stays can still be verified."""

from __future__ import annotations

import datetime as dt

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command

from core import clock, history
from core.actors import Actor
from core.models import HistoryEntry, Tenant
from core.services import chain, retention

pytestmark = pytest.mark.django_db
ACTOR = Actor("user", "1", "olga@acme.test")


def write(tenant, ages: list[int]) -> None:
    """One entry for each age in days, oldest first, all sealed."""
    for age in ages:
        entry = history.record(tenant, "core.tenant.changed", actor=ACTOR, data={"age": age})
        at = clock.now() - dt.timedelta(days=age)
        HistoryEntry.objects.filter(pk=entry.pk).update(at=at)
    chain.seal_pending()


def ages(tenant) -> list[int]:
    rows = HistoryEntry.objects.filter(tenant=tenant, action="core.tenant.changed").order_by("id")
    return [row.data["age"] for row in rows]


def keep(tenant, months, **fields):
    return retention.change(tenant=tenant, months=months, actor=ACTOR, **fields)


def test_nothing_goes_without_a_limit(tenant):
    write(tenant, [4000, 10])
    assert retention.prune_all() == 0
    assert ages(tenant) == [4000, 10]


def test_what_is_too_old_goes_and_the_rest_is_verified(tenant):
    write(tenant, [800, 500, 400, 300, 1])
    keep(tenant, 12, confirmed=3)
    assert retention.prune_all() == 3
    chain.seal_pending()
    assert ages(tenant) == [300, 1]
    report = chain.verify(tenant.pk)
    assert report.is_intact
    assert report.last_index == 7
    actions = list(HistoryEntry.objects.order_by("id").values_list("action", flat=True))
    assert actions[-2:] == ["core.history.retention_changed", "core.history.pruned"]
    assert retention.prune_all() == 0


def test_tampering_after_pruning_is_found(tenant):
    write(tenant, [800, 300, 200, 1])
    keep(tenant, 12, confirmed=1)
    retention.prune_all()
    HistoryEntry.objects.filter(data={"age": 300}).delete()
    assert chain.verify(tenant.pk).broken_at == 2


def test_everything_may_be_too_old(tenant):
    write(tenant, [800, 700])
    keep(tenant, 6, confirmed=2)
    assert retention.prune_all() == 2
    chain.seal_pending()
    assert chain.verify(tenant.pk).is_intact


def test_it_goes_in_portions(tenant):
    write(tenant, [900, 800, 700, 1])
    tenant = keep(tenant, 12, confirmed=3)
    assert [retention.prune(tenant, limit=2) for _ in range(3)] == [2, 1, 0]
    chain.seal_pending()
    assert chain.verify(tenant.pk).is_intact


def test_a_young_entry_early_in_the_chain_is_kept(tenant):
    write(tenant, [800, 1, 700])
    assert retention.too_old(tenant, 12) == 1


def test_nothing_is_deleted_that_nobody_was_told_of(tenant):
    write(tenant, [800, 700, 1])
    with pytest.raises(retention.RetentionUnconfirmed, match="2 entries"):
        keep(tenant, 12)
    with pytest.raises(retention.RetentionUnconfirmed):
        keep(tenant, 12, confirmed=1)
    assert Tenant.objects.get(pk=tenant.pk).history_months is None


@pytest.mark.parametrize("months", [0, 5, 241])
def test_a_month_count_has_limits(tenant, months):
    with pytest.raises(ValidationError):
        keep(tenant, months)


def test_other_organisations_keep_theirs(tenant, other_tenant):
    write(tenant, [800])
    write(other_tenant, [800])
    keep(tenant, 12, confirmed=1)
    retention.prune_all()
    assert ages(other_tenant) == [800]


def test_only_the_newest_are_verified_when_asked(tenant):
    write(tenant, [5, 4, 3, 2, 1])
    HistoryEntry.objects.filter(data={"age": 5}).update(actor_label="somebody else")
    assert chain.verify(tenant.pk, newest=3).is_intact
    assert chain.verify(tenant.pk, newest=3).sealed == 3
    assert chain.verify(tenant.pk, newest=50).broken_at == 1


def test_the_command_tells_of_tampering(tenant, other_tenant, capsys):
    write(tenant, [3, 2, 1])
    call_command("verify_history")
    assert "3 entries intact, 0 not sealed yet, head 3 " in capsys.readouterr().out
    HistoryEntry.objects.filter(data={"age": 2}).update(data={})
    with pytest.raises(CommandError, match="tampered with: acme"):
        call_command("verify_history")
    call_command("verify_history", tenant="globex")
    with pytest.raises(CommandError, match="no organisation"):
        call_command("verify_history", tenant="nobody")

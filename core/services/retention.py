"""Deletes the change history that is older than an organisation keeps it.

Only the beginning of the sealed chain can go: the hash of the last entry that went becomes the
anchor, so that what stays can still be verified.
"""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext as _

from core import clock, history
from core.actors import Actor
from core.errors import DomainError
from core.models import HistoryEntry, Tenant

_ACTOR = Actor.system("retention")
DAYS_OF_A_MONTH = 30.4375


class RetentionUnconfirmed(DomainError):
    code = "retention_unconfirmed"
    status = 409


def last_to_go(tenant: Tenant, months: int | None) -> int:
    """Return the chain index up to which everything is too old; 0 for nothing. Two queries."""
    if months is None:
        return 0
    cutoff = clock.now() - dt.timedelta(days=months * DAYS_OF_A_MONTH)
    sealed = HistoryEntry.objects.filter(tenant=tenant, chain_index__isnull=False)
    # Places in the chain follow the time almost, not exactly: the first young entry stops it.
    young = sealed.filter(at__gte=cutoff).order_by("chain_index").first()
    if young is not None:
        return int(young.chain_index) - 1
    last = sealed.order_by("-chain_index").first()
    return int(last.chain_index) if last is not None else 0


def too_old(tenant: Tenant, months: int | None) -> int:
    """Return how many entries would be deleted."""
    sealed = HistoryEntry.objects.filter(tenant=tenant, chain_index__isnull=False)
    return sealed.filter(chain_index__lte=last_to_go(tenant, months)).count()


@transaction.atomic
def change(*, tenant: Tenant, months: int | None, actor: Actor, confirmed: int = 0) -> Tenant:
    """Keep the history for so many months, or for ever.

    `confirmed` is how many entries the caller knows to be deleted by it. Raises
    RetentionUnconfirmed while more would go, ValidationError for a number out of range.
    """
    tenant = Tenant.objects.select_for_update().get(pk=tenant.pk)
    if months == tenant.history_months:
        return tenant
    count = too_old(tenant, months)
    if count > confirmed:
        raise RetentionUnconfirmed(
            _("%(count)d entries are older and would be deleted for good.") % {"count": count}
        )
    before, tenant.history_months = tenant.history_months, months
    tenant.full_clean()
    tenant.save(update_fields=["history_months"])
    history.record(
        tenant,
        "core.history.retention_changed",
        actor=actor,
        data={"history_months": [before, months]},
    )
    return tenant


@transaction.atomic
def prune(tenant: Tenant, limit: int = 5000) -> int:
    """Delete up to `limit` entries that are too old; returns how many. Safe twice at once."""
    tenant = Tenant.objects.select_for_update().get(pk=tenant.pk)
    until = min(last_to_go(tenant, tenant.history_months), tenant.history_anchor_index + limit)
    last = HistoryEntry.objects.filter(tenant=tenant, chain_index=until).first()
    if until <= tenant.history_anchor_index or last is None:
        return 0
    tenant.history_anchor_index, tenant.history_anchor_hash = until, last.chain_hash
    tenant.save(update_fields=["history_anchor_index", "history_anchor_hash"])
    old = HistoryEntry.objects.filter(tenant=tenant, chain_index__lte=until)
    count: int = old.delete()[0]
    history.record(
        tenant,
        "core.history.pruned",
        actor=_ACTOR,
        data={"entries": count, "until": last.at.isoformat(), "hash": last.chain_hash},
    )
    return count


def prune_all() -> int:
    """Delete what is too old, in every organisation; returns how many entries went."""
    rows = Tenant.objects.filter(history_months__isnull=False)
    return sum(prune(tenant) for tenant in rows)

"""Seals the change history into one hash chain per tenant, and verifies it."""

from __future__ import annotations

import hashlib
import json
import uuid
from dataclasses import dataclass, field

from django.db import transaction

from core.models import HistoryEntry, Tenant

GENESIS = "0" * 64


@dataclass(frozen=True)
class ChainReport:
    """What a verification found; `broken_at` is the chain index of the first wrong entry.

    `head` is the hash of the last entry, at `last_index`: it stands for everything before it.
    """

    sealed: int
    unsealed: int
    broken_at: int | None = None
    head: str = field(default=GENESIS, compare=False)
    last_index: int = field(default=0, compare=False)

    @property
    def is_intact(self) -> bool:
        return self.broken_at is None


def digest(entry: HistoryEntry, previous: str) -> str:
    """Return the hash of an entry that follows `previous`; covers every field of the entry."""
    content = [
        previous,
        entry.chain_index,
        entry.pk,
        str(entry.tenant_id),
        entry.at.isoformat(),
        entry.action,
        entry.actor_kind,
        entry.actor_id,
        entry.actor_label,
        entry.ip,
        entry.request_id,
        entry.object_type,
        entry.object_id,
        entry.object_label,
        entry.data,
    ]
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()


@transaction.atomic
def seal_tenant(tenant_id: uuid.UUID, *, limit: int = 2000) -> int:
    """Append what is not sealed yet to the tenant's chain; returns how many entries.

    The tenant's row is the lock, so that two sweeps never seal the same entries. A transaction
    that commits late gets a later place in the chain than its id suggests; that is correct.
    """
    tenant = Tenant.objects.select_for_update().get(pk=tenant_id)
    entries = list(
        HistoryEntry.objects.filter(tenant_id=tenant_id).unsealed().order_by("id")[:limit]
    )
    if not entries:
        return 0
    last = (
        HistoryEntry.objects.filter(tenant_id=tenant_id, chain_index__isnull=False)
        .order_by("-chain_index")
        .first()
    )
    index, previous = (last.chain_index, last.chain_hash) if last else _anchor(tenant)
    for entry in entries:
        index += 1
        entry.chain_index = index
        entry.chain_hash = previous = digest(entry, previous)
    HistoryEntry.objects.bulk_update(entries, ["chain_index", "chain_hash"], batch_size=200)
    return len(entries)


def seal_pending() -> int:
    """Seal every tenant's open entries; returns how many."""
    waiting = HistoryEntry.objects.unsealed().order_by().values_list("tenant_id", flat=True)
    return sum(seal_tenant(tenant_id) for tenant_id in waiting.distinct())


def _anchor(tenant: Tenant) -> tuple[int, str]:
    """Where the chain begins: after the entries that were too old to be kept."""
    return tenant.history_anchor_index, tenant.history_anchor_hash or GENESIS


def verify(tenant_id: uuid.UUID, *, newest: int | None = None) -> ChainReport:
    """Recompute the chain of a tenant; finds edits, deletions and insertions.

    With `newest` only so many of the latest entries are looked at, and the one before them is
    believed. Entries that are missing at the very end leave no trace in the chain itself: compare
    the head with one that was noted elsewhere.
    """
    entries = HistoryEntry.objects.filter(tenant_id=tenant_id)
    unsealed = entries.unsealed().count()
    sealed = entries.filter(chain_index__isnull=False).order_by("chain_index")
    index, previous = _anchor(Tenant.objects.get(pk=tenant_id))
    last = sealed.last()
    if newest is not None and last is not None and last.chain_index - newest > index:
        believed = sealed.filter(chain_index__lte=last.chain_index - newest).last()
        if believed is not None:
            index, previous = believed.chain_index, believed.chain_hash
    first = index
    for entry in sealed.filter(chain_index__gt=index).iterator(chunk_size=2000):
        index += 1
        if entry.chain_index != index or entry.chain_hash != digest(entry, previous):
            return ChainReport(index - 1 - first, unsealed, broken_at=index)
        previous = entry.chain_hash
    return ChainReport(index - first, unsealed, head=previous, last_index=index)

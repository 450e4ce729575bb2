"""The wipe limit and the emergency freeze of a tenant, behind one lock."""

from __future__ import annotations

import uuid

from django.db import transaction

from core import clock, history
from core.actors import Actor
from core.models import Tenant
from devices import channels
from devices.errors import Frozen, ReasonMissing
from devices.models import Channel, CommandRank, Device, Safeguard
from devices.states import DeviceState

WOKEN_AT_ONCE = 500


def of(tenant_id: uuid.UUID) -> Safeguard:
    """Return what protects a tenant; the defaults before anything was changed. One query."""
    found = Safeguard.objects.filter(tenant_id=tenant_id).first()
    return found or Safeguard(tenant_id=tenant_id)


def locked(tenant_id: uuid.UUID) -> Safeguard:
    """Return the row with its lock, in the caller's transaction: all wipes pass here in a line."""
    rows = Safeguard.objects.select_for_update(no_key=True)
    found = rows.filter(tenant_id=tenant_id).first()
    if found is None:
        Safeguard.objects.get_or_create(tenant_id=tenant_id)
        found = rows.get(tenant_id=tenant_id)
    return found


def check_not_frozen(tenant_id: uuid.UUID) -> Safeguard:
    """Return the locked row. Raises Frozen; a freeze that begins now waits for the caller."""
    row = locked(tenant_id)
    if row.is_frozen:
        raise Frozen
    return row


def refuse_while_frozen(tenant_id: uuid.UUID) -> None:
    """Raise Frozen for an order that is queued only: the hand-out looks again, under the lock."""
    if of(tenant_id).is_frozen:
        raise Frozen


@transaction.atomic
def freeze(*, tenant: Tenant, actor: Actor, reason: str) -> Safeguard:
    """Stop destructive orders at once: new ones are refused, queued ones are not handed out.

    Safe to call twice: the first freeze stays as it is. Raises ReasonMissing.
    """
    from devices.services import governance_mails

    row = locked(tenant.pk)
    if row.is_frozen:
        return row
    if not reason.strip():
        raise ReasonMissing
    row.frozen_at, row.frozen_by = clock.now(), actor.as_dict()
    row.freeze_reason = reason.strip()[:500]
    row.save(update_fields=["frozen_at", "frozen_by", "freeze_reason"])
    history.record(row, "devices.freeze.began", actor=actor, data={"reason": row.freeze_reason})
    governance_mails.tell_freeze(row, actor=actor, reason=row.freeze_reason)
    return row


@transaction.atomic
def lift(*, tenant: Tenant, actor: Actor, reason: str) -> Safeguard:
    """End the freeze and wake the devices that orders wait for. Raises ReasonMissing.

    The caller has asked for a recent sign-in.
    """
    from devices.services import governance_mails

    row = locked(tenant.pk)
    if not row.is_frozen:
        return row
    if not reason.strip():
        raise ReasonMissing
    row.frozen_at, row.frozen_by, row.freeze_reason = None, {}, ""
    row.save(update_fields=["frozen_at", "frozen_by", "freeze_reason"])
    history.record(row, "devices.freeze.ended", actor=actor, data={"reason": reason.strip()[:500]})
    governance_mails.tell_freeze(row, actor=actor, reason=reason.strip()[:500])
    _wake_waiting(tenant.pk)
    return row


def _wake_waiting(tenant_id: uuid.UUID) -> None:
    # The rest is woken by the sweep that looks for orders which nobody pushes any more.
    waiting = (
        Channel.objects.filter(device__tenant_id=tenant_id, device__archived_at__isnull=True)
        .filter(device__state__in=(DeviceState.RETIRE_PENDING, DeviceState.WIPE_PENDING))
        .filter(commands__rank=CommandRank.ORDER, commands__finished_at__isnull=True)
        .select_related("device")
        .distinct()
    )
    for channel in waiting[:WOKEN_AT_ONCE]:
        channels.backend_of(channel.kind).wake(channel)


def fleet_size(tenant_id: uuid.UUID) -> int:
    """Return how many devices are managed."""
    return Device.objects.managed().filter(tenant_id=tenant_id).count()

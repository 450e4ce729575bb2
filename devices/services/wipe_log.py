"""The wipe log: written when a wipe is ordered, followed until the device's answer."""

from __future__ import annotations

import datetime as dt
import uuid

from core import clock
from core.actors import Actor
from devices.models import Device, Operation, WipeOrder, WipeOutcome
from devices.states import DeviceState

S = DeviceState
_WIPING = frozenset({S.WIPE_PENDING, S.WIPE_SENT})
_ENDS = {
    S.WIPED: WipeOutcome.WIPED,
    S.ACTIVE: WipeOutcome.FAILED,
    S.UNENROLLED: WipeOutcome.DROPPED,
    S.RESET: WipeOutcome.DROPPED,
}


def record(
    device: Device, *, actor: Actor, reason: str, operation: Operation | None, approved_by: str
) -> WipeOrder:
    """Write that a wipe is ordered, in the transaction of the order."""
    return WipeOrder.objects.create(
        tenant_id=device.tenant_id,
        device=device,
        operation=operation,
        label=device.label,
        serial=device.serial,
        person=device.user.email if device.user else "",
        requested_by=actor.as_dict(),
        requester_label=actor.label[:254],
        reason=reason[:500],
        approver_label=approved_by[:254],
    )


def follow(device: Device, *, source: str, to: str, is_cancelled: bool = False) -> None:
    """Note what became of a wipe when the entry moves; costs a query only for wipes."""
    if source not in _WIPING:
        return
    if to == S.WIPE_SENT:
        _open(device).update(outcome=WipeOutcome.SENT)
    elif to in _ENDS:
        outcome = WipeOutcome.CANCELLED if is_cancelled else _ENDS[DeviceState(to)]
        _open(device).update(outcome=outcome, finished_at=clock.now())


def drop(device: Device) -> None:
    """Note that nobody will ever know what became of a wipe."""
    _open(device).update(outcome=WipeOutcome.DROPPED, finished_at=clock.now())


def _open(device: Device):  # type: ignore[no-untyped-def]
    return WipeOrder.objects.filter(
        device=device, outcome__in=(WipeOutcome.ORDERED, WipeOutcome.SENT)
    )


def ordered_since(tenant_id: uuid.UUID, moment: dt.datetime) -> int:
    """Return how many wipes were ordered since a moment and not taken back. One query."""
    rows = WipeOrder.objects.filter(tenant_id=tenant_id, ordered_at__gt=moment)
    return rows.exclude(outcome=WipeOutcome.CANCELLED).count()

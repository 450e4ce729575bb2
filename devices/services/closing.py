"""Ends orders that nobody will ever answer."""

from __future__ import annotations

from django.db import transaction

from core import history
from core.actors import Actor
from devices.errors import ConfirmationMismatch, NoOpenOrder, ReasonMissing
from devices.models import Device
from devices.services import lifecycle, wipe_log, wipes
from devices.states import PENDING_ORDER, DeviceState

S = DeviceState


@transaction.atomic
def close_order(*, device: Device, actor: Actor, confirmation: str, reason: str) -> Device:
    """End an order that a lost device will never answer: the entry counts as retired or wiped.

    Whether the device obeyed stays unknown, and the wipe log says so. One that comes back later is
    given nothing more, and its late answer changes nothing. `confirmation` is the device's label.
    Raises ConfirmationMismatch, ReasonMissing, NoOpenOrder.
    """
    device = lifecycle.locked(device.pk)
    if not wipes.is_typed(confirmation, device.label):
        raise ConfirmationMismatch
    if not reason.strip():
        raise ReasonMissing
    if device.state not in PENDING_ORDER:
        raise NoOpenOrder
    is_wipe = device.state in (S.WIPE_PENDING, S.WIPE_SENT)
    if is_wipe:
        wipe_log.drop(device)
    data = {"order": "wipe" if is_wipe else "retire", "reason": reason}
    history.record(device, "devices.order.closed", actor=actor, data=data)
    return lifecycle.transition(
        device_id=device.pk,
        to=S.WIPED if is_wipe else S.RETIRED,
        actor=actor,
        reason=reason,
        data={"by": "administrator"},
    )

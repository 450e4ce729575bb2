"""Moves device entries through their states; every move is written in the history."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from django.db import transaction

from core import clock, history
from core.actors import Actor
from devices import channels
from devices.errors import CannotCancel, NotSupported
from devices.models import Channel, ChannelState, Command, CommandRank, Device
from devices.services import commands, grouped, pins, safeguards, wipe_log
from devices.states import MANAGED, CommandStatus, DeviceState, check_transition

S = DeviceState
# Authenticate without TokenUpdate: the profile was rolled back by the device, silently.
UNFINISHED_AFTER = dt.timedelta(minutes=30)


def locked(device_id: uuid.UUID) -> Device:
    """Return the entry with its row locked; must be called in a transaction."""
    return Device.objects.select_for_update(of=("self",)).get(pk=device_id)


@transaction.atomic
def transition(
    *,
    device_id: uuid.UUID,
    to: str,
    actor: Actor,
    reason: str = "",
    data: dict[str, Any] | None = None,
    is_cancelled: bool = False,
) -> Device:
    """Move an entry to a state. Raises WrongState.

    When the new state is not a managed one, the queue is cancelled and the channels end.
    `is_cancelled`: somebody took the order back, it did not fail.
    """
    device = locked(device_id)
    check_transition(device.state, to)
    source, device.state, device.state_changed_at = device.state, to, clock.now()
    device.groups_due_at = device.state_changed_at
    fields = ["state", "state_changed_at", "groups_due_at"]
    if to not in MANAGED:
        device.ended_at, device.inventory_due_at = device.state_changed_at, None
        fields += ["ended_at", "inventory_due_at"]
        if device.lost_since is not None:
            fields += device.forget_lost_mode()
    device.save(update_fields=fields)
    wipe_log.follow(device, source=source, to=to, is_cancelled=is_cancelled)
    history.record(
        device,
        f"devices.device.{to}",
        actor=actor,
        data={"state": [source, to], **({"reason": reason} if reason else {}), **(data or {})},
    )
    if to not in MANAGED:
        commands.cancel_all(device, actor=actor)
        end_channels(device)
    return device


def end_channels(device: Device) -> None:
    """Forget the push credentials of a device that is not managed any more."""
    device.channels.update(
        state=ChannelState.ENDED, sealed_push=b"", push_due_at=None, push_attempts=0
    )


@transaction.atomic
def activate(*, device_id: uuid.UUID, actor: Actor) -> Device:
    """Make an enrolling entry active: the first token of its device channel came."""
    device = transition(device_id=device_id, to=S.ACTIVE, actor=actor)
    device.enrolled_at, device.ended_at = device.state_changed_at, None
    device.save(update_fields=["enrolled_at", "ended_at"])
    return device


@transaction.atomic
def request_retire(*, device: Device, actor: Actor, reason: str = "") -> Device:
    """Order an active device to give up management. Raises WrongState, NotSupported, Frozen."""
    backend = _backend_for(device, "retire")
    safeguards.refuse_while_frozen(device.tenant_id)
    device = transition(device_id=device.pk, to=S.RETIRE_PENDING, actor=actor, reason=reason)
    backend.retire(device, actor=actor, reason=reason)
    return device


def send_wipe(
    device: Device,
    *,
    backend: channels.ChannelBackend,
    actor: Actor,
    reason: str,
    options: dict[str, Any] | None,
) -> None:
    """Queue the wipe of a device that was moved for it; a part of `wipes.begin`."""
    pin = pins.keep_pin(device) if backend.needs_pin(device) else ""
    backend.wipe(device, actor=actor, pin=pin, options=options or {}, reason=reason)


@transaction.atomic
def cancel_order(*, device: Device, actor: Actor, reason: str = "") -> Device:
    """Take back a retire or wipe that the device has not received. Raises CannotCancel."""
    device = locked(device.pk)
    if device.state not in (S.RETIRE_PENDING, S.WIPE_PENDING):
        raise CannotCancel
    order = pending_order(device)
    if order is not None:
        taken = (
            Command.objects.filter(
                pk=order.pk, status__in=(CommandStatus.QUEUED, CommandStatus.NOT_NOW)
            )
        ).update(status=CommandStatus.CANCELLED, finished_at=clock.now(), sealed_params=b"")
        if not taken:
            raise CannotCancel
    kind = "retire" if device.state == S.RETIRE_PENDING else "wipe"
    device = transition(
        device_id=device.pk, to=S.ACTIVE, actor=actor, reason=reason, is_cancelled=True
    )
    history.record(device, f"devices.{kind}.cancelled", actor=actor, data={"reason": reason})
    return device


def pending_order(device: Device) -> Command | None:
    """Return the open retire or wipe command of a device; one query."""
    return device.commands.open().filter(rank=CommandRank.ORDER, epoch=device.epoch).first()


@transaction.atomic
def unenroll(*, device_id: uuid.UUID, actor: Actor) -> Device:
    """The device told that management was removed: the end of a retire, or the person's doing."""
    device = locked(device_id)
    if device.state in (S.RETIRE_PENDING, S.RETIRE_SENT):
        return transition(device_id=device_id, to=S.RETIRED, actor=actor, data={"by": "check_out"})
    if device.state == S.WIPE_SENT:
        return transition(device_id=device_id, to=S.WIPED, actor=actor, data={"by": "check_out"})
    if device.state in MANAGED:
        return transition(device_id=device_id, to=S.UNENROLLED, actor=actor)
    return device


@transaction.atomic
def abandon(*, device_id: uuid.UUID, actor: Actor) -> bool:
    """End an enrollment that never finished; False if it did in the meantime."""
    if locked(device_id).state != S.ENROLLING:
        return False
    transition(device_id=device_id, to=S.ABANDONED, actor=actor)
    return True


def abandon_unfinished(limit: int = 500) -> int:
    """End entries that authenticated but never became active; returns how many."""
    before = clock.now() - UNFINISHED_AFTER
    stuck = (
        Device.objects.current()
        .filter(state=S.ENROLLING, state_changed_at__lte=before)
        .order_by("state_changed_at")
        .values_list("pk", flat=True)
    )
    actor = Actor.system("deadlines")
    return sum(abandon(device_id=pk, actor=actor) for pk in list(stuck[:limit]))


@transaction.atomic
def delete(*, device: Device, actor: Actor) -> None:
    """Delete an entry with everything that belongs to it; the history stays.

    Raises NotSupported, Frozen.
    """
    from devices.states import DELETABLE

    safeguards.refuse_while_frozen(device.tenant_id)

    device = locked(device.pk)
    if device.state not in DELETABLE:
        raise NotSupported
    grouped.forget(device)
    history.record(device, "devices.device.deleted", actor=actor, data={"serial": device.serial})
    device.delete()


def _backend_for(device: Device, action: str) -> channels.ChannelBackend:
    backend = channels.backend_of(device.channel_kind)
    if device.archived_at is not None or action not in backend.actions(device):
        raise NotSupported
    return backend


def device_channel(device: Device) -> Channel:
    """Return the channel of the device itself, not that of a user on it."""
    return device.channels.get(kind=device.channel_kind, user_key="")

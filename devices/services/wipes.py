"""The one way to a wipe: freeze, limit, hold and log, for portal, API, self-service and bulk."""

from __future__ import annotations

import unicodedata
import uuid
from typing import Any

from django.db import transaction

from core import clock
from core.actors import Actor
from devices import channels
from devices.errors import (
    ConfirmationMismatch,
    NotSupported,
    ReasonMissing,
    WipeLimitReached,
    WipeWaits,
)
from devices.models import Device, Operation, OperationState, OperationTarget, TargetState
from devices.models.operation import OPEN_OPERATIONS
from devices.services import (
    holds,
    lifecycle,
    operation_rows,
    requesters,
    safeguards,
    wipe_log,
)
from devices.states import DeviceState, check_transition
from devices.wipe_rules import WINDOW, why_hold

KEY = "wipe"
S = DeviceState
_QUOTES = str.maketrans(dict.fromkeys("‘’ʼ‛`´′", "'") | dict.fromkeys("“”„″«»", '"'))


@transaction.atomic
def order(
    *,
    device: Device,
    actor: Actor,
    confirmation: str,
    reason: str,
    options: dict[str, Any] | None = None,
) -> Device:
    """Order an active device to erase itself, or hold the order where the rules ask for a second
    person: `holds.waiting_for` then tells where it waits, and the device stays as it is.

    `confirmation` must be the device's label, as far as a keyboard has it: devices name themselves
    with curly quotes and no-break spaces.
    Raises ConfirmationMismatch, ReasonMissing, Frozen, WipeLimitReached, WipeWaits, WrongState,
    NotSupported.
    """
    _check_backend(device)
    device = lifecycle.locked(device.pk)
    if not is_typed(confirmation, device.label):
        raise ConfirmationMismatch
    if not reason.strip():
        raise ReasonMissing
    check_transition(device.state, S.WIPE_PENDING)
    safeguards.check_not_frozen(device.tenant_id)
    if holds.waiting_for(device.pk) is not None:
        raise WipeWaits
    check_limit(device.tenant_id, wanted=1)
    why = hold_reason(device.tenant_id, wanted=1, actor=actor)
    if not why:
        return begin(device=device, actor=actor, reason=reason, options=options)
    requester, token = requesters.behind(actor)
    held = operation_rows.write(
        tenant_id=device.tenant_id,
        action=KEY,
        devices=[operation_rows.Meant.of(device)],
        content={"params": {"reason": reason, "options": options or {}}},
        shown=[],
        reason=reason,
        actor=actor,
        requester=requester,
        token=token,
        state=OperationState.HELD,
    )
    holds.place_wipe(held, why=why, actor=actor)
    return device


@transaction.atomic
def begin(
    *,
    device: Device,
    actor: Actor,
    reason: str,
    options: dict[str, Any] | None = None,
    operation: Operation | None = None,
) -> Device:
    """Carry out a wipe about which everything was asked.

    Raises Frozen, WrongState, NotSupported.
    """
    backend = _check_backend(device)
    safeguards.check_not_frozen(device.tenant_id)
    device = lifecycle.transition(
        device_id=device.pk, to=S.WIPE_PENDING, actor=actor, reason=reason
    )
    wipe_log.record(
        device, actor=actor, reason=reason, operation=operation, approved_by=_approver(operation)
    )
    lifecycle.send_wipe(device, backend=backend, actor=actor, reason=reason, options=options)
    return device


def check_many(*, tenant_id: uuid.UUID, wanted: int, actor: Actor, reason: str) -> str:
    """Judge a bulk wipe before it is written, under the lock; returns why it must be held.

    Raises ReasonMissing, Frozen, WipeLimitReached.
    """
    if not reason.strip():
        raise ReasonMissing
    safeguards.check_not_frozen(tenant_id)
    check_limit(tenant_id, wanted=wanted)
    return hold_reason(tenant_id, wanted=wanted, actor=actor)


def check_limit(tenant_id: uuid.UUID, *, wanted: int) -> None:
    """Raise WipeLimitReached when more wipes would be under way than the tenant allows.

    Counted are wipes that their device has not received, and those that wait in bulk orders. An
    order calls it under the lock of the safeguards, or two at once would both pass.
    """
    limit = safeguards.of(tenant_id).wipe_limit
    waiting = Device.objects.current().filter(tenant_id=tenant_id, state=S.WIPE_PENDING).count()
    waiting += OperationTarget.objects.filter(
        operation__tenant_id=tenant_id,
        operation__action=KEY,
        operation__state__in=OPEN_OPERATIONS,
        state=TargetState.PENDING,
    ).count()
    if waiting + wanted > limit:
        raise WipeLimitReached(limit=limit, waiting=waiting)


def hold_reason(tenant_id: uuid.UUID, *, wanted: int, actor: Actor) -> str:
    """Return why so many wipes need a second person now, or nothing. Three queries at most."""
    requester, _token = requesters.behind(actor)
    is_cooling = (
        actor.kind != "person"
        and requester is not None
        and requesters.cools_until(requester) is not None
    )
    return why_hold(
        recent=wipe_log.ordered_since(tenant_id, clock.now() - WINDOW),
        wanted=wanted,
        fleet=safeguards.fleet_size(tenant_id),
        is_cooling=is_cooling,
    )


def _approver(operation: Operation | None) -> str:
    hold = getattr(operation, "hold", None) if operation else None
    return str(hold.decided_by.get("label", "")) if hold else ""


def _check_backend(device: Device) -> channels.ChannelBackend:
    backend = channels.backend_of(device.channel_kind)
    if device.archived_at is not None or KEY not in backend.actions(device):
        raise NotSupported
    return backend


def is_typed(confirmation: str, *wanted: str) -> bool:
    """Say whether one of the wanted texts was typed, as far as a keyboard has it."""
    if confirmation.strip() in {text.strip() for text in wanted}:
        return True
    typed = _as_typed(confirmation)
    return bool(typed) and typed in {_as_typed(text) for text in wanted}


def _as_typed(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text).translate(_QUOTES)
    visible = "".join(char for char in plain if unicodedata.category(char) != "Cf")
    return " ".join(visible.casefold().split())

"""Bulk orders: given, cancelled, tried again. The work itself is in `operation_work`."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from accounts.access import Principal
from core import clock, history
from core.actors import Actor
from devices import actions
from devices.actions import Action
from devices.errors import (
    ActionNotAllowed,
    ConfirmationMismatch,
    NotSupported,
    NotYourOperation,
    OperationOver,
    SelectionChanged,
)
from devices.models import Device, Operation, OperationState, TargetState
from devices.services import holds, operation_rows, requesters, safeguards, wipes
from devices.services.operation_rows import MAX_TARGETS, Meant

SAMPLE = 8
PAGE = 2000
# A long order is worked off by several at once, and leaves room for others.
MAX_WORKERS = 4
TARGETS_PER_WORKER = 500
FREEZES = frozenset({"wipe", "retire", "delete"})


@dataclass
class Survey:
    """Who is meant, before anything is written: how many, who is left out and why, some names."""

    count: int = 0
    excluded: dict[str, int] = field(default_factory=dict)
    sample: list[str] = field(default_factory=list)
    is_too_many: bool = False

    @property
    def total(self) -> int:
        return self.count + sum(self.excluded.values())


def survey(action: Action, devices: QuerySet[Device]) -> Survey:
    """Count whom an order would reach. One query per 2,000 devices."""
    found = Survey()
    for device, why in judged(action, devices):
        if why:
            found.excluded[why] = found.excluded.get(why, 0) + 1
            continue
        found.count += 1
        if len(found.sample) < SAMPLE:
            found.sample.append(device.label)
    found.is_too_many = found.total > MAX_TARGETS
    return found


def judged(action: Action, devices: QuerySet[Device]) -> Iterator[tuple[Device, str]]:
    """Return each device with the reason why the action does not fit it, or nothing."""
    rows = devices.select_related(None).select_related(*_beside())
    rows = rows.order_by("name", "pk")[: MAX_TARGETS + 1]
    for device in rows.iterator(chunk_size=PAGE):
        yield device, misfit(action, device)


def _beside() -> list[str]:
    """Return the rows that channels keep beside a device: what it understands may depend on them,
    and to ask for each would be a query per device."""
    relations = Device._meta.related_objects
    return [one.name for one in relations if one.one_to_one and one.name != "contact"]


def misfit(action: Action, device: Device) -> str:
    """Return why an action does not fit a device now, as a code, or nothing."""
    if device.archived_at is not None and not action.is_for_archived:
        return "archived"
    if device.state not in action.states:
        return "wrong_state"
    return "" if action.fits(device) else "not_supported"


def phrase(action: Action, count: int) -> str:
    """Return what is typed to confirm a destructive order to many devices."""
    return f"{action.label} {count}"


@transaction.atomic
def create(
    *,
    principal: Principal,
    action_key: str,
    devices: QuerySet[Device],
    form: dict[str, Any],
    reason: str = "",
    shown: list[list[str]] | None = None,
    query: str = "",
    expected: int | None = None,
    confirmation: str = "",
    retry_of: Operation | None = None,
) -> Operation:
    """Write a bulk order and set it to work, or hold it where the rules ask for a second person.

    `devices` must already be limited to what the principal may see. `form` are the values of the
    action's form; they are kept sealed and read again for each batch. `expected` is how many the
    principal was shown. A destructive order takes `phrase` as its confirmation.
    Raises NotSupported, ActionNotAllowed, SelectionChanged, ConfirmationMismatch, NothingSelected,
    TooManyTargets, and for wipes ReasonMissing, Frozen, WipeLimitReached.
    """
    action = actions.find(action_key)
    if not action.is_bulk:
        raise NotSupported
    if not principal.has(action.permission):
        raise ActionNotAllowed
    meant = [Meant.of(device, why) for device, why in judged(action, devices)]
    wanted = sum(not one.why for one in meant)
    if expected is not None and expected != wanted:
        raise SelectionChanged(count=wanted)
    if action.is_destructive and not _is_confirmed(action, wanted, confirmation):
        raise ConfirmationMismatch
    actor = principal.actor
    why = _why_hold(action, principal.tenant_id, wanted, actor, reason)
    operation = _write(principal, action, meant, form, reason, shown, query, retry_of, held=why)
    if why:
        holds.place_wipe(operation, why=why, actor=actor)
    else:
        _ring(operation)
    return operation


def _is_confirmed(action: Action, count: int, typed: str) -> bool:
    return wipes.is_typed(typed, phrase(action, count), f"{action.key} {count}")


def _why_hold(action: Action, tenant_id: uuid.UUID, wanted: int, actor: Actor, reason: str) -> str:
    if action.key == wipes.KEY:
        return wipes.check_many(tenant_id=tenant_id, wanted=wanted, actor=actor, reason=reason)
    if action.key in FREEZES:
        safeguards.refuse_while_frozen(tenant_id)
    return ""


def _write(
    principal: Principal,
    action: Action,
    meant: Iterable[Meant],
    form: dict[str, Any],
    reason: str,
    shown: list[list[str]] | None,
    query: str,
    retry_of: Operation | None,
    *,
    held: str,
) -> Operation:
    requester, token = requesters.behind(principal.actor)
    operation = operation_rows.write(
        tenant_id=principal.tenant_id,
        action=action.key,
        devices=meant,
        content={"form": form},
        shown=shown or [],
        reason=reason,
        actor=principal.actor,
        requester=requester,
        token=token,
        query=query,
        retry_of=retry_of,
        state=OperationState.HELD if held else OperationState.RUNNING,
    )
    history.record(
        operation,
        "devices.operation.ordered",
        actor=principal.actor,
        data={
            "action": action.key,
            "devices": operation.pending_count,
            **({"reason": operation.reason} if operation.reason else {}),
        },
    )
    return operation


@transaction.atomic
def retry(*, operation: Operation, principal: Principal, devices: QuerySet[Device]) -> Operation:
    """Order the same once more of those that failed: refused here, or refused by the device.

    `devices` are what the principal may see. Destructive orders are given anew in place of this.
    Raises NotSupported for them, and as `create`.
    """
    if actions.find(operation.action).is_destructive:
        raise NotSupported
    failed = operation.targets.failed().values("device_id")
    content = operation_rows.content_of(operation)
    return create(
        principal=principal,
        action_key=operation.action,
        devices=devices.filter(pk__in=failed),
        form=content["form"],
        reason=operation.reason,
        shown=operation.shown,
        retry_of=operation,
    )


@transaction.atomic
def cancel(*, operation: Operation, principal: Principal, reason: str = "") -> Operation:
    """Stop what has not left: devices whose turn has not come now, and queued commands in turn.

    Whoever ordered it may, and whoever may cancel orders. Raises NotYourOperation, OperationOver.
    """
    check_may_cancel(operation, principal)
    hold = getattr(operation, "hold", None)
    if operation.state == OperationState.HELD and hold is not None:
        holds.stop(hold=hold, actor=principal.actor, reason=reason.strip() or "–")
        return Operation.objects.get(pk=operation.pk)
    now = clock.now()
    pending = operation.targets.filter(state=TargetState.PENDING)
    count = pending.update(state=TargetState.CANCELLED, finished_at=now)
    locked = Operation.objects.select_for_update(of=("self",)).get(pk=operation.pk)
    has_waiting = locked.targets.not_left().exists()
    if locked.state != OperationState.RUNNING and not (locked.state == "done" and has_waiting):
        raise OperationOver
    locked.cancelled_count += count
    locked.state = OperationState.CANCELLING if has_waiting else OperationState.CANCELLED
    locked.due_at = now if has_waiting else None
    locked.finished_at = None if has_waiting else now
    locked.cancelled_by = principal.actor.as_dict()
    locked.save(update_fields=["cancelled_count", "state", "due_at", "finished_at", "cancelled_by"])
    history.record(
        locked,
        "devices.operation.cancelled",
        actor=principal.actor,
        data={"devices": count, **({"reason": reason} if reason else {})},
    )
    if has_waiting:
        _ring(locked)
    return locked


def check_may_cancel(operation: Operation, principal: Principal) -> None:
    """Raise NotYourOperation unless the principal ordered it or may cancel orders."""
    requester, _token = requesters.behind(principal.actor)
    is_own = requester is not None and requester.pk == operation.requester_id
    if operation.tenant_id != principal.tenant_id or not (
        is_own or principal.has("devices.cancel")
    ):
        raise NotYourOperation


def _ring(operation: Operation) -> None:
    from devices.tasks import work_operation

    def ring() -> None:
        for _ in range(min(MAX_WORKERS, 1 + operation.total // TARGETS_PER_WORKER)):
            work_operation.ring(str(operation.pk))

    transaction.on_commit(ring)

"""Holds an order until a second administrator agrees, or until it can no longer be a surprise."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import uuid
from typing import Any

from django.db import transaction

from accounts.access import Principal
from accounts.models import User
from core import clock, history
from core.actors import Actor
from core.models import Tenant
from devices.errors import CannotApprove, HoldOver, NotYourOperation, ReasonMissing, TargetsChanged
from devices.models import (
    Hold,
    HoldKind,
    HoldMode,
    HoldState,
    Operation,
    OperationState,
    Safeguard,
    TargetState,
)
from devices.services import governance_mails, operation_rows, requesters, safeguards
from devices.wipe_rules import HOLD_FOR

H = HoldState
SYSTEM = Actor.system("governance")


def place_wipe(operation: Operation, *, why: str, actor: Actor) -> Hold:
    """Hold an order that was just written, and mail whoever can decide, in one transaction."""
    hold = _place(
        kind=HoldKind.WIPE,
        tenant_id=operation.tenant_id,
        why=why,
        operation=operation,
        reason=operation.reason,
        content_hash=operation.targets_hash,
        actor=actor,
        requester=operation.requester,
    )
    history.record(
        operation,
        "devices.wipe.held",
        actor=actor,
        data={"reason": operation.reason, "devices": operation.total, "until": _text(hold.due_at)},
    )
    return hold


def place_limit(safeguard: Safeguard, *, limit: int, actor: Actor, reason: str) -> Hold:
    """Hold a higher wipe limit: less protection is itself decided by two, and not today."""
    requester, _token = requesters.behind(actor)
    data = {"wipe_limit": [safeguard.wipe_limit, limit]}
    digest = hashlib.sha256(json.dumps([str(safeguard.tenant_id), data]).encode()).hexdigest()
    hold = _place(
        kind=HoldKind.LIMIT,
        tenant_id=safeguard.tenant_id,
        why="protection",
        data=data,
        reason=reason,
        content_hash=digest,
        actor=actor,
        requester=requester,
    )
    history.record(safeguard, "devices.limit.requested", actor=actor, data=data)
    return hold


def _place(*, tenant_id: uuid.UUID, actor: Actor, requester: User | None, **fields: Any) -> Hold:
    deciders = requesters.approvers(tenant_id, requester=requester)
    hold = Hold.objects.create(
        tenant_id=tenant_id,
        mode=HoldMode.APPROVAL if deciders else HoldMode.DELAY,
        requested_by=actor.as_dict(),
        requester=requester,
        due_at=clock.now() + HOLD_FOR,
        **fields,
    )
    governance_mails.tell_placed(hold, deciders=deciders)
    return hold


@transaction.atomic
def approve(*, hold: Hold, approver: User, shown_hash: str) -> Hold:
    """Let it happen: the order goes to work at once, a higher limit takes effect when it is due.

    `shown_hash` is of what the approver was shown. The caller has asked for a recent sign-in.
    Raises HoldOver, CannotApprove, TargetsChanged.
    """
    if not isinstance(approver, User):
        raise CannotApprove("not_signed_in")
    hold = _locked_waiting(hold)
    if hold.due_at <= clock.now():
        raise HoldOver
    if hold.tenant_id != approver.tenant_id:
        raise CannotApprove("no_permission")
    requesters.check_may_approve(approver, requester=hold.requester)
    if shown_hash != hold.content_hash or not is_unchanged(hold):
        raise TargetsChanged
    _decide(hold, H.APPROVED, actor=approver.actor)
    if hold.operation is not None:
        _let_go(hold.operation)
    return hold


@transaction.atomic
def stop(*, hold: Hold, actor: Actor, reason: str) -> Hold:
    """Refuse or take back what waits: nothing of it happens. Raises HoldOver, ReasonMissing."""
    hold = _locked_open(hold)
    if not reason.strip():
        raise ReasonMissing
    _decide(hold, H.STOPPED, actor=actor, reason=reason.strip()[:500])
    _end_operation(hold)
    return hold


def stop_by(*, hold: Hold, principal: Principal, reason: str) -> Hold:
    """Stop something as whoever ordered it, or as somebody who could cancel or decide it.

    Raises NotYourOperation, and as `stop`.
    """
    requester, _token = requesters.behind(principal.actor)
    is_own = requester is not None and requester.pk == hold.requester_id
    is_entitled = any(principal.has(name) for name in ("devices.cancel", "devices.wipe"))
    if hold.tenant_id != principal.tenant_id or not (is_own or is_entitled):
        raise NotYourOperation
    return stop(hold=hold, actor=principal.actor, reason=reason)


def is_unchanged(hold: Hold) -> bool:
    """Say whether what waits is still exactly what was requested."""
    if hold.operation is None:
        return True
    return operation_rows.current_hash(hold.operation) == hold.content_hash


def settle_due(limit: int = 200) -> int:
    """Release what waited out its delay, end what nobody approved, apply limits.

    Returns how many.
    """
    now = clock.now()
    due = Hold.objects.filter(applied_at__isnull=True, due_at__lte=now)
    due = due.filter(state__in=(H.WAITING, H.APPROVED)).exclude(state=H.APPROVED, kind="wipe")
    return sum(
        _settle(pk) for pk in list(due.order_by("due_at").values_list("pk", flat=True)[:limit])
    )


@transaction.atomic
def _settle(hold_id: uuid.UUID) -> bool:
    hold = Hold.objects.select_for_update(of=("self",)).get(pk=hold_id)
    if hold.applied_at is not None or hold.due_at > clock.now():
        return False
    if hold.state == H.WAITING and hold.mode == HoldMode.APPROVAL:
        _decide(hold, H.EXPIRED, actor=SYSTEM)
        _end_operation(hold)
    elif hold.kind == HoldKind.LIMIT and hold.state in (H.WAITING, H.APPROVED):
        _apply_limit(hold)
    elif hold.state == H.WAITING:
        return _release_wipe(hold)
    else:
        return False
    return True


def _release_wipe(hold: Hold) -> bool:
    assert hold.operation is not None  # noqa: S101 - a wipe's hold always has one
    if safeguards.locked(hold.tenant_id).is_frozen:
        return False
    if is_unchanged(hold):
        _decide(hold, H.RELEASED, actor=SYSTEM)
        _let_go(hold.operation)
    else:
        _decide(hold, H.STOPPED, actor=SYSTEM, reason=str(operation_rows.REASONS["changed"]))
        _end_operation(hold)
    return True


def _apply_limit(hold: Hold) -> None:
    row = safeguards.locked(hold.tenant_id)
    before, row.wipe_limit = row.wipe_limit, hold.data["wipe_limit"][1]
    row.save(update_fields=["wipe_limit"])
    if hold.state == H.WAITING:
        _decide(hold, H.RELEASED, actor=SYSTEM)
    hold.applied_at = clock.now()
    hold.save(update_fields=["applied_at"])
    history.record(
        row, "devices.limit.changed", actor=SYSTEM, data={"wipe_limit": [before, row.wipe_limit]}
    )


def _locked_waiting(hold: Hold) -> Hold:
    found = _locked_open(hold)
    if found.state != H.WAITING:
        raise HoldOver
    return found


def _locked_open(hold: Hold) -> Hold:
    rows = Hold.objects.select_for_update(of=("self",)).select_related("operation", "requester")
    found = rows.get(pk=hold.pk)
    is_coming = found.kind == HoldKind.LIMIT and found.state == H.APPROVED
    if found.applied_at is not None or not (found.state == H.WAITING or is_coming):
        raise HoldOver
    return found


def _decide(hold: Hold, state: HoldState, *, actor: Actor, reason: str = "") -> None:
    hold.state, hold.decided_at = state, clock.now()
    hold.decided_by, hold.decision_reason = actor.as_dict(), reason
    hold.save(update_fields=["state", "decided_at", "decided_by", "decision_reason"])
    subject = hold.operation or safeguards.of(hold.tenant_id)
    noun = "wipe" if hold.kind == HoldKind.WIPE else "limit"
    history.record(
        subject,
        f"devices.{noun}.{_VERBS[state]}",
        actor=actor,
        data={
            "requested_by": hold.requested_by.get("label", ""),
            **({"reason": reason} if reason else {}),
        },
    )
    governance_mails.tell_decided(hold)


_VERBS = {
    H.APPROVED: "approved",
    H.RELEASED: "released",
    H.STOPPED: "stopped",
    H.EXPIRED: "unapproved",
}


def _let_go(operation: Operation) -> None:
    from devices.tasks import work_operation

    now = clock.now()
    Operation.objects.filter(pk=operation.pk, state=OperationState.HELD).update(
        state=OperationState.RUNNING, due_at=now
    )
    transaction.on_commit(lambda: work_operation.ring(str(operation.pk)))


def _end_operation(hold: Hold) -> None:
    if hold.operation is None:
        return
    now = clock.now()
    pending = hold.operation.targets.filter(state=TargetState.PENDING)
    count = pending.update(state=TargetState.CANCELLED, finished_at=now)
    Operation.objects.filter(pk=hold.operation.pk).update(
        state=OperationState.CANCELLED, cancelled_count=count, finished_at=now, due_at=None
    )


def waiting_for(device_id: uuid.UUID) -> Operation | None:
    """Return the held order that a device is in, if any. One query."""
    return (
        Operation.objects.filter(state=OperationState.HELD, targets__device_id=device_id)
        .filter(targets__state=TargetState.PENDING)
        .first()
    )


@transaction.atomic
def change_limit(*, tenant: Tenant, limit: int, actor: Actor, reason: str = "") -> Hold | None:
    """Set the wipe limit: a lower one at once, a higher one is held and returned.

    A limit that was on its way is stopped by the new wish. Raises ValidationError for a limit out
    of range, ReasonMissing for a higher one without a reason.
    """
    row = safeguards.locked(tenant.pk)
    Safeguard(tenant=tenant, wipe_limit=limit).clean_fields()
    if limit > row.wipe_limit and not reason.strip():
        raise ReasonMissing
    coming = coming_limit(tenant.pk)
    if coming is not None:
        stop(hold=coming, actor=actor, reason=reason.strip() or "–")
    if limit > row.wipe_limit:
        return place_limit(row, limit=limit, actor=actor, reason=reason.strip()[:500])
    before, row.wipe_limit = row.wipe_limit, limit
    if before != limit:
        row.save(update_fields=["wipe_limit"])
        data = {"wipe_limit": [before, limit]}
        history.record(row, "devices.limit.changed", actor=actor, data=data)
    return None


def coming_limit(tenant_id: uuid.UUID) -> Hold | None:
    """Return the higher limit that waits or is agreed on, if any. One query."""
    rows = Hold.objects.filter(tenant_id=tenant_id, kind=HoldKind.LIMIT, applied_at__isnull=True)
    return rows.filter(state__in=(H.WAITING, H.APPROVED)).first()


def _text(moment: dt.datetime) -> str:
    return moment.isoformat()

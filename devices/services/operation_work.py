"""Carries out bulk orders: batches under a lease, each device in a transaction of its own.

What is done to a device and that it was done are written together, so that a killed worker loses
and doubles nothing: the rest is found again when its lease runs out.
"""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import structlog
from django.db import transaction
from django.db.models import F
from django.utils import translation
from django.utils.datastructures import MultiValueDict

from accounts.access import Principal
from core import clock, history
from core.actors import Actor
from core.errors import DomainError
from devices import actions
from devices.actions import Action
from devices.errors import Frozen
from devices.models import Command, Device, Operation, OperationState, OperationTarget, TargetState
from devices.services import (
    lifecycle,
    operation_cancel,
    operation_rows,
    operation_targets,
    operations,
    requesters,
    safeguards,
)

FROZEN_FOR = dt.timedelta(seconds=30)
RETRY_AFTER = dt.timedelta(seconds=15)
MAX_ATTEMPTS = 3
# A task gives way to others after this many batches and rings for itself again.
BATCHES_PER_RING = 20
WORKERS_PER_SWEEP = 20

log = structlog.get_logger(__name__)
T = TargetState


class _Refused(Exception):
    """A device that the order does not reach: its end state, code and words."""

    def __init__(self, state: TargetState, code: str, reason: str = "") -> None:
        self.state, self.code, self.reason = state, code, reason
        super().__init__(code)


def sweep() -> int:
    """Ring for every order that is due; returns for how many."""
    from devices.tasks import work_operation

    due = Operation.objects.due(clock.now()).order_by("due_at").values_list("pk", flat=True)
    found = list(due[:WORKERS_PER_SWEEP])
    for pk in found:
        work_operation.ring(str(pk))
    return len(found)


def work(operation_id: uuid.UUID | str) -> bool:
    """Do some batches of an order; True when there is more to do now. Safe to run anywhere, twice
    at once too."""
    for _ in range(BATCHES_PER_RING):
        operation = (
            Operation.objects.select_related("requester", "tenant", "hold")
            .filter(pk=operation_id)
            .first()
        )
        if operation is None or operation.due_at is None:
            return False
        if operation.state == OperationState.CANCELLING:
            has_more = operation_cancel.take_back_batch(operation)
        elif operation.state == OperationState.RUNNING:
            has_more = _work_batch(operation)
        else:
            return False
        if not has_more:
            return False
    return True


def _work_batch(operation: Operation) -> bool:
    if operation.action in operations.FREEZES and safeguards.of(operation.tenant_id).is_frozen:
        Operation.objects.filter(pk=operation.pk).update(due_at=clock.now() + FROZEN_FOR)
        return False
    if not _is_as_approved(operation):
        return False
    batch = operation_targets.claim(operation, operation.targets.filter(state=T.PENDING))
    if not batch:
        return _finish(operation)
    language = operation.requester.language if operation.requester else ""
    with translation.override(language or operation.tenant.language):
        order = _Order(operation)
        for target in batch:
            order.carry_out(target)
    return True


class _Order:
    """One order for one batch: what is read once is read here."""

    def __init__(self, operation: Operation) -> None:
        self.operation = operation
        self.action: Action = actions.find(operation.action)
        self.actor = Actor(**operation.requested_by)
        self.principal = self._principal()
        self.params = self._params()

    def _principal(self) -> Principal | None:
        operation = self.operation
        if self.actor.kind == "token" and operation.token_id is None:
            return None
        return requesters.principal(operation.requester, operation.token_id, operation.tenant_id)

    def _params(self) -> dict[str, Any] | None:
        content = operation_rows.content_of(self.operation)
        if "params" in content:
            return dict(content["params"])
        filled_in = MultiValueDict(content["form"])
        form = self.action.form_class(filled_in, device=None, user=self.principal)
        return form.params() if self.principal is not None and form.is_valid() else None

    def carry_out(self, target: OperationTarget) -> None:
        try:
            with transaction.atomic():
                self._carry_out(target)
        except Frozen:
            operation_targets.release(target, after=FROZEN_FOR)
        except Exception:
            log.exception("operation.target_failed", target=target.pk, attempts=target.attempts)
            self._give_up_or_wait(target)

    def _carry_out(self, target: OperationTarget) -> None:
        # The device first, as everything that moves commands does; then its row of the order.
        device = self._device(target)
        rows = OperationTarget.objects.select_for_update(of=("self",))
        if not rows.filter(pk=target.pk, state=T.PENDING, lease=target.lease).exists():
            return
        try:
            with transaction.atomic():
                command = self._run(device)
        except _Refused as refusal:
            operation_targets.close(target, refusal.state, code=refusal.code, reason=refusal.reason)
        except Frozen:
            raise
        except DomainError as error:
            operation_targets.close(target, T.FAILED, code=error.code, reason=str(error.message))
        else:
            operation_targets.close(target, T.DONE, command=command)

    def _device(self, target: OperationTarget) -> Device | None:
        if self.principal is None:
            return None
        rows = Device.objects.visible_to(self.principal).select_related("user")
        found: Device | None = (
            rows.select_for_update(of=("self",)).filter(pk=target.device_key).first()
        )
        return found

    def _run(self, device: Device | None) -> Command | None:
        if self.principal is None or not self.principal.has(self.action.permission):
            raise _Refused(T.FAILED, "no_permission")
        if device is None:
            raise _Refused(T.FAILED, "gone")
        if why := operations.misfit(self.action, device):
            raise _Refused(T.SKIPPED, why)
        if self.params is None:
            raise _Refused(T.FAILED, "bad_parameters")
        if self.action.run_many is not None:
            done = self.action.run_many(
                device=device, actor=self.actor, operation=self.operation, **self.params
            )
        else:
            done = self.action.run(device=device, actor=self.actor, **self.params)
        if isinstance(done, Command):
            return done
        return lifecycle.pending_order(device) if self.action.is_order else None

    def _give_up_or_wait(self, target: OperationTarget) -> None:
        if target.attempts < MAX_ATTEMPTS:
            operation_targets.release(target, after=RETRY_AFTER)
            return
        with transaction.atomic():
            operation_targets.close(target, T.FAILED, code="internal")


def _finish(operation: Operation) -> bool:
    """End an order of which nothing is pending; while others hold the rest, look again later."""
    now = clock.now()
    if operation.targets.filter(state=T.PENDING).exists():
        Operation.objects.filter(pk=operation.pk, state=OperationState.RUNNING).update(
            due_at=now + RETRY_AFTER
        )
        return False
    with transaction.atomic():
        ended = Operation.objects.filter(pk=operation.pk, state=OperationState.RUNNING).update(
            state=OperationState.DONE, finished_at=now, due_at=None
        )
        if ended:
            operation.refresh_from_db()
            _record_end(operation)
    return False


def _record_end(operation: Operation) -> None:
    history.record(
        operation,
        "devices.operation.finished",
        actor=Actor.system("operations"),
        data={
            "action": operation.action,
            "devices": operation.done_count,
            "failed": operation.failed_count,
            "skipped": operation.skipped_count,
        },
    )


def _is_as_approved(operation: Operation) -> bool:
    """Check an order that was held against what was agreed to; a changed one ends here."""
    hold = getattr(operation, "hold", None)
    if hold is None or operation_rows.current_hash(operation) == hold.content_hash:
        return True
    with transaction.atomic():
        now = clock.now()
        pending = operation.targets.filter(state=T.PENDING)
        count = pending.update(state=T.CANCELLED, reason_code="changed", finished_at=now)
        Operation.objects.filter(pk=operation.pk).update(
            state=OperationState.CANCELLED,
            cancelled_count=F("cancelled_count") + count,
            finished_at=now,
            due_at=None,
        )
        history.record(
            operation,
            "devices.operation.mismatched",
            actor=Actor.system("governance"),
            data={"devices": count},
        )
    return False

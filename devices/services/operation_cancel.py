"""Takes back what a cancelled bulk order has queued and no device has received yet."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import F

from core import clock
from core.actors import Actor
from core.errors import DomainError
from devices import actions
from devices.models import Command, Device, Operation, OperationState, OperationTarget, TargetState
from devices.services import lifecycle, operation_targets
from devices.states import OPEN_COMMANDS, CommandStatus

RETRY_AFTER = dt.timedelta(seconds=15)
T = TargetState


def take_back_batch(operation: Operation) -> bool:
    """Cancel commands of a cancelled order that no device has yet."""
    candidates = operation.targets.not_left()
    batch = operation_targets.claim(operation, candidates)
    for target in batch:
        _take_back(operation, target)
    if batch:
        return True
    now = clock.now()
    if candidates.exists():
        Operation.objects.filter(pk=operation.pk).update(due_at=now + RETRY_AFTER)
        return False
    Operation.objects.filter(pk=operation.pk, state=OperationState.CANCELLING).update(
        state=OperationState.CANCELLED, finished_at=now, due_at=None
    )
    return False


@transaction.atomic
def _take_back(operation: Operation, target: OperationTarget) -> None:
    device = Device.objects.select_for_update(of=("self",)).filter(pk=target.device_key).first()
    if device is None or target.command_id is None:
        return
    if actions.find(operation.action).is_order:
        try:
            with transaction.atomic():
                lifecycle.cancel_order(device=device, actor=Actor(**operation.cancelled_by))
        except DomainError:
            return
    else:
        waiting = OPEN_COMMANDS - {CommandStatus.SENT}
        taken = Command.objects.filter(pk=target.command_id, status__in=waiting).update(
            status=CommandStatus.CANCELLED, finished_at=clock.now(), sealed_params=b""
        )
        if not taken:
            return
    moved = OperationTarget.objects.filter(pk=target.pk, state=T.DONE).update(
        state=T.CANCELLED, lease=None, leased_until=None
    )
    if moved:
        Operation.objects.filter(pk=operation.pk).update(
            done_count=F("done_count") - 1, cancelled_count=F("cancelled_count") + 1
        )

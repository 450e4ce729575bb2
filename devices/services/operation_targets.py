"""The rows of a bulk order's devices: leased to a worker, ended and counted once."""

from __future__ import annotations

import datetime as dt
import uuid

from django.db.models import F

from core import clock
from devices.models import Command, Operation, OperationTarget, TargetState
from devices.models.operation import OperationTargetQuerySet

BATCH = 25
LEASE = dt.timedelta(seconds=60)
T = TargetState
_COUNTS = {
    T.DONE: "done_count",
    T.FAILED: "failed_count",
    T.SKIPPED: "skipped_count",
    T.CANCELLED: "cancelled_count",
}


def claim(operation: Operation, candidates: OperationTargetQuerySet) -> list[OperationTarget]:
    """Lease some targets to this process; two workers at once get different ones."""
    now, lease = clock.now(), uuid.uuid4()
    ids = list(candidates.free(now).order_by("pk").values_list("pk", flat=True)[:BATCH])
    candidates.free(now).filter(pk__in=ids).update(
        lease=lease, leased_until=now + LEASE, attempts=F("attempts") + 1
    )
    # While somebody is at it, the sweep leaves the order alone.
    Operation.objects.filter(pk=operation.pk, due_at__isnull=False).update(due_at=now + LEASE)
    return list(operation.targets.filter(lease=lease).order_by("device_key"))


def close(
    target: OperationTarget,
    state: TargetState,
    *,
    code: str = "",
    reason: str = "",
    command: Command | None = None,
) -> None:
    """End a target and count it, once: in the transaction of what was done to the device."""
    ended = OperationTarget.objects.filter(pk=target.pk, state=T.PENDING).update(
        state=state,
        reason_code=code[:60],
        reason=reason[:300],
        command=command,
        finished_at=clock.now(),
        lease=None,
        leased_until=None,
    )
    if ended:
        # Last, because every worker of this order needs the row.
        count = _COUNTS[state]
        Operation.objects.filter(pk=target.operation_id).update(**{count: F(count) + 1})


def release(target: OperationTarget, *, after: dt.timedelta) -> None:
    OperationTarget.objects.filter(pk=target.pk, lease=target.lease).update(
        lease=None, leased_until=clock.now() + after
    )

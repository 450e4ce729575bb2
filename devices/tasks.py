"""Sweeps of devices: deadlines and enrollments that never finished."""

from __future__ import annotations

from celery import shared_task

from core.tasks import DoorbellTask


@shared_task(base=DoorbellTask)
def sweep_command_deadlines() -> int:
    from devices.services import commands

    return commands.expire_due()


@shared_task(base=DoorbellTask)
def sweep_unfinished() -> int:
    from devices.services import lifecycle

    return lifecycle.abandon_unfinished()


@shared_task(base=DoorbellTask)
def work_operation(operation_id: str) -> bool:
    """Do some batches of a bulk order, and ring again while there is more."""
    from devices.services import operation_work

    has_more = operation_work.work(operation_id)
    if has_more:
        work_operation.ring(operation_id)
    return has_more


@shared_task(base=DoorbellTask)
def sweep_operations() -> int:
    """Find bulk orders that a lost ring or a killed worker left behind."""
    from devices.services import operation_work

    return operation_work.sweep()


@shared_task(base=DoorbellTask)
def settle_holds() -> int:
    """Release, end or apply what waited for a second administrator."""
    from devices.services import holds

    return holds.settle_due()


@shared_task(base=DoorbellTask)
def run_cleanup(rule_id: str) -> int | None:
    from devices.services import cleanup

    return cleanup.run(rule_id)


@shared_task(base=DoorbellTask)
def sweep_cleanups() -> int:
    from devices.services import cleanup

    return cleanup.sweep()

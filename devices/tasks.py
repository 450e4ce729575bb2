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

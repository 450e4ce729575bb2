"""Background work of Apple devices; a task carries one id at most."""

from __future__ import annotations

from celery import shared_task

from core.tasks import DoorbellTask


@shared_task(base=DoorbellTask)
def push_channel(channel_id: str) -> bool:
    from apple.services import push_sweep

    return push_sweep.push_one(channel_id)


@shared_task(base=DoorbellTask)
def sweep_pushes() -> int:
    from apple.services import push_sweep

    return push_sweep.sweep()


@shared_task(base=DoorbellTask)
def wake_silent() -> int:
    from apple.services import push

    return push.wake_silent()


@shared_task(base=DoorbellTask)
def warn_of_push_expiry() -> int:
    from apple.services import push_alerts

    return push_alerts.warn_of_expiry()


@shared_task(base=DoorbellTask)
def sweep_inventory() -> int:
    from apple.services import inventory

    return inventory.request_due()

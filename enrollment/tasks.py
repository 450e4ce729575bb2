"""Tasks of enrollment: the sweeps."""

from __future__ import annotations

from celery import shared_task

from core.tasks import DoorbellTask


@shared_task(base=DoorbellTask)
def sweep_reminders() -> int:
    """Send the reminders that are due."""
    from enrollment.services import reminders

    return reminders.sweep()


@shared_task(base=DoorbellTask)
def sweep_expiries() -> int:
    """End attempts, invitations and profiles whose time is over."""
    from enrollment.services import expiry

    return expiry.sweep()

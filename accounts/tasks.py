"""Tasks about people."""

from __future__ import annotations

from celery import shared_task

from core.tasks import DoorbellTask


@shared_task(base=DoorbellTask)
def forget_sessions() -> int:
    from accounts.services import sessions

    return sessions.forget_expired()


@shared_task(base=DoorbellTask)
def sweep_groups() -> int:
    """Settle groups of people first: rules of the groups above may ask for them."""
    from accounts import grouping
    from accounts.services import group_rules

    return sum(group_rules.sweep(shape) for shape in grouping.shapes())


@shared_task(base=DoorbellTask)
def warn_of_key_expiry() -> int:
    from accounts.services import expiry

    return expiry.warn_of_own_keys()

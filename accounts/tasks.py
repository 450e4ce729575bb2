"""Tasks about people."""

from __future__ import annotations

from celery import shared_task

from core.tasks import DoorbellTask


@shared_task(base=DoorbellTask)
def forget_sessions() -> int:
    from accounts.services import sessions

    return sessions.forget_expired()

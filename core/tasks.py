"""Tasks of the ground floor; each carries one id at most."""

from __future__ import annotations

import structlog
from celery import Task, shared_task

log = structlog.get_logger(__name__)


class DoorbellTask(Task):
    """A task that may get lost: the row it names is found again by a sweep."""

    def ring(self, *args, after_seconds: float = 0) -> None:
        """Tell a worker, and never fail the caller: a broker that is down costs time only."""
        countdown = after_seconds or None
        try:
            self.apply_async(args, countdown=countdown, retry=False, ignore_result=True)
        except Exception as error:
            log.warning("doorbell.failed", task=self.name, error=type(error).__name__)


@shared_task(base=DoorbellTask)
def deliver_message(message_id: str) -> bool:
    from core.services import delivery

    return delivery.deliver(message_id)


@shared_task(base=DoorbellTask)
def sweep_outbox() -> int:
    from core.services import delivery

    return delivery.sweep()


@shared_task(base=DoorbellTask)
def seal_history() -> int:
    from core.services import chain

    return chain.seal_pending()


@shared_task(base=DoorbellTask)
def forget_old() -> int:
    """Delete spent rate buckets, one-time secrets that ended long ago, remembered answers."""
    from core import ratelimit
    from core.services import cleanup

    forgotten = ratelimit.forget_idle() + cleanup.forget_spent_secrets()
    return forgotten + cleanup.forget_answered_calls()


@shared_task(base=DoorbellTask)
def prune_history() -> int:
    """Delete the change history that an organisation does not want to keep any longer."""
    from core.services import retention

    return retention.prune_all()


@shared_task(base=DoorbellTask)
def sweep_webhooks() -> int:
    from core.services import webhooks

    return webhooks.sweep()

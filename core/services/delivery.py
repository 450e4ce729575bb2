"""Takes messages out of the outbox: claim, deliver, count, retry, quarantine."""

from __future__ import annotations

import datetime as dt
import random
import uuid

import structlog
from django.db import transaction
from django.db.models import F

from core import clock, outbox
from core.models import OutboxMessage, OutboxStatus

LEASE = dt.timedelta(seconds=90)
MAX_ATTEMPTS = 5
FIRST_RETRY_SECONDS = 30
LONGEST_RETRY_SECONDS = 15 * 60

log = structlog.get_logger(__name__)


def claim(message_id: uuid.UUID | str) -> OutboxMessage | None:
    """Lease a due message to this process, or return None if another one has it.

    The attempt is counted here, so that a message that kills its worker is quarantined too.
    """
    now = clock.now()
    claimed = (
        OutboxMessage.objects.due(now)
        .filter(pk=message_id, attempts__lt=MAX_ATTEMPTS)
        .update(due_at=now + LEASE, attempts=F("attempts") + 1)
    )
    return OutboxMessage.objects.get(pk=message_id) if claimed else None


def deliver(message_id: uuid.UUID | str) -> bool:
    """Deliver one message if it is due; returns whether it left. Safe to call twice."""
    message = claim(message_id)
    if message is None:
        return False
    try:
        outbox.handler_of(message.kind)(message, outbox.open_body(message))
    except outbox.Undeliverable as refusal:
        _give_up(message, OutboxStatus.UNDELIVERABLE, refusal.reason)
    except outbox.RetryLater as refusal:
        _retry(message, refusal.reason, refusal.seconds)
    except Exception as error:
        log.exception("outbox.delivery_failed", message_id=str(message.pk), kind=message.kind)
        _retry(message, f"{type(error).__name__}", None)
    else:
        OutboxMessage.objects.filter(pk=message.pk, status=OutboxStatus.PENDING).update(
            status=OutboxStatus.DELIVERED, finished_at=clock.now(), sealed_body=b"", last_error=""
        )
        return True
    return False


def _retry(message: OutboxMessage, reason: str, seconds: int | None) -> None:
    if message.attempts >= MAX_ATTEMPTS:
        _give_up(message, OutboxStatus.QUARANTINED, reason)
        return
    # What the receiver asks for is a minimum: a mail server that is away for twenty minutes must
    # not use up all attempts.
    grown = min(FIRST_RETRY_SECONDS * 4 ** (message.attempts - 1), LONGEST_RETRY_SECONDS)
    seconds = max(seconds or 0, grown)
    # Jitter: a thousand mails that failed together must not come back together.
    delay = dt.timedelta(seconds=seconds * random.uniform(1.0, 1.2))  # noqa: S311
    OutboxMessage.objects.filter(pk=message.pk, status=OutboxStatus.PENDING).update(
        due_at=clock.now() + delay, last_error=reason[:500]
    )


@transaction.atomic
def _give_up(message: OutboxMessage, status: str, reason: str) -> None:
    body = message.sealed_body if status == OutboxStatus.QUARANTINED else b""
    changed = OutboxMessage.objects.filter(pk=message.pk, status=OutboxStatus.PENDING).update(
        status=status, finished_at=clock.now(), last_error=reason[:500], sealed_body=body
    )
    if changed:
        message.status, message.last_error = status, reason[:500]
        outbox.failure_hook_of(message.kind)(message)


def sweep(limit: int = 5000) -> int:
    """Deliver what is due and nobody holds, oldest first; quarantine what ran out of attempts."""
    now = clock.now()
    for message in OutboxMessage.objects.due(now).filter(attempts__gte=MAX_ATTEMPTS)[:limit]:
        _give_up(message, OutboxStatus.QUARANTINED, message.last_error or "worker lost")
    due = OutboxMessage.objects.due(now).order_by("due_at").values_list("pk", flat=True)
    return sum(deliver(pk) for pk in list(due[:limit]))


@transaction.atomic
def retry_quarantined(message_id: uuid.UUID | str, *, tenant_id: uuid.UUID) -> bool:
    """Give a quarantined message five new attempts, starting now."""
    return bool(
        OutboxMessage.objects.filter(
            pk=message_id, tenant_id=tenant_id, status=OutboxStatus.QUARANTINED
        ).update(status=OutboxStatus.PENDING, attempts=0, due_at=clock.now(), finished_at=None)
    )

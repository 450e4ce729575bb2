"""Keeps the ledger true: what became of each notice, and no reminder for people who finished."""

from __future__ import annotations

from django.db import transaction
from django.db.models import QuerySet

from accounts.models import User
from core import clock
from core.models import OutboxMessage, OutboxStatus
from enrollment.models import EnrollmentSession, Invitation, Notice, NoticeKind, NoticeStatus

MAX_RESULT = 200


def note_sent(message: OutboxMessage, result: str = "") -> None:
    """The other side took a message over. No effect on messages that are no notices."""
    _settle(message, NoticeStatus.SENT, result)


def note_failed(message: OutboxMessage) -> None:
    """A message was given up; its last error says why."""
    _settle(message, NoticeStatus.FAILED, message.last_error)


def _settle(message: OutboxMessage, status: str, result: str) -> None:
    Notice.objects.filter(message_id=message.pk, status=NoticeStatus.QUEUED).update(
        status=status, result=result[:MAX_RESULT], finished_at=clock.now()
    )


def cancel_of_person(user: User) -> int:
    """Cancel the reminders that wait for a person who needs none any more. Returns how many."""
    return _cancel(Notice.objects.filter(user=user))


def cancel_of_session(session: EnrollmentSession) -> int:
    return _cancel(Notice.objects.filter(session=session))


def cancel_of_invitation(invitation: Invitation) -> int:
    return _cancel(Notice.objects.filter(invitation=invitation))


@transaction.atomic
def _cancel(notices: QuerySet[Notice]) -> int:
    """A message that a worker holds already may still leave; everything else stays here."""
    reminders = notices.filter(status=NoticeStatus.QUEUED, kind=NoticeKind.REMINDER)
    waiting = dict(reminders.values_list("pk", "message_id"))
    if not waiting:
        return 0
    now = clock.now()
    OutboxMessage.objects.filter(
        pk__in=[pk for pk in waiting.values() if pk], status=OutboxStatus.PENDING
    ).update(status=OutboxStatus.CANCELLED, finished_at=now, sealed_body=b"")
    return Notice.objects.filter(pk__in=waiting, status=NoticeStatus.QUEUED).update(
        status=NoticeStatus.CANCELLED, finished_at=now
    )

"""Lets people see what they are reminded of, and stop it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import transaction

from accounts.models import User
from core import clock, history
from core.actors import Actor
from enrollment.models import BrowserSubscription, EnrollmentSession, Invitation, SessionOutcome
from enrollment.services import sessions

_UNFINISHED = (SessionOutcome.OPEN, SessionOutcome.EXPIRED)


@dataclass(frozen=True, slots=True)
class Reminded:
    """What a person is reminded of: an attempt, or an invitation that they did not open."""

    since: dt.datetime
    is_unopened: bool
    browsers: list[BrowserSubscription]


def of_person(user: User) -> Reminded | None:
    """Return what a person will be reminded of, or None. Three queries at most."""
    session = EnrollmentSession.objects.filter(
        user=user, remind_at__isnull=False, outcome__in=_UNFINISHED
    ).first()
    found: EnrollmentSession | Invitation | None = session
    if session is None:
        found = Invitation.objects.open().filter(user=user, remind_at__isnull=False).first()
    if found is None:
        return None
    browsers = BrowserSubscription.objects.filter(user=user, broken_reason="")
    return Reminded(found.created_at, session is None, list(browsers.order_by("created_at")))


@transaction.atomic
def stop(*, user: User, actor: Actor) -> bool:
    """Stop the reminders of what a person began or was invited to; whatever waits is cancelled.

    Another attempt, or an invitation that is sent again, is reminded of anew. False when there
    was nothing to stop.
    """
    if of_person(user) is None:
        return False
    attempts = EnrollmentSession.objects.filter(user=user, outcome__in=_UNFINISHED)
    attempts.filter(reminders_stopped_at=None).update(reminders_stopped_at=clock.now())
    sessions.stop_reminders(user)
    history.record(user, "enrollment.reminders.stopped", actor=actor)
    return True

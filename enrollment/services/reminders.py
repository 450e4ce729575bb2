"""Reminds people of what they began and did not finish, and of invitations nobody opened.

Each row carries when it is due and how many were sent. A sweep claims a row by moving its due
time forward by a lease; the reminder has a key with its number, so that one that is tried twice
is sent once.
"""

from __future__ import annotations

import datetime as dt

from django.db import models, transaction

from accounts.models import User, UserSettings
from core import clock, history, outbox
from core.actors import Actor
from enrollment import schedule
from enrollment.models import EnrollmentSession, Invitation, InvitationStatus, SessionOutcome
from enrollment.services import factors, letters, notices, pins, sessions

LEASE = dt.timedelta(minutes=5)
_ACTOR = Actor.system("reminders")


def sweep(limit: int = 2000) -> int:
    """Send the reminders that are due; returns how many. Safe to run twice at once."""
    with outbox.batch():
        return _sweep_sessions(limit) + _sweep_invitations(limit)


def _claim(model: type[models.Model], pk: object, now: dt.datetime) -> bool:
    """Lease one due row to this process; a dead one's lease runs out by itself."""
    due = model.objects.filter(pk=pk, remind_at__lte=now)  # type: ignore[attr-defined]
    return bool(due.update(remind_at=now + LEASE))


def _sweep_sessions(limit: int) -> int:
    now = clock.now()
    due = EnrollmentSession.objects.reminder_due(now).order_by("remind_at")
    return sum(
        _remind_of_session(pk)
        for pk in list(due.values_list("pk", flat=True)[:limit])
        if _claim(EnrollmentSession, pk, now)
    )


def _sweep_invitations(limit: int) -> int:
    now = clock.now()
    due = Invitation.objects.reminder_due(now).order_by("remind_at")
    return sum(
        _remind_of_invitation(pk)
        for pk in list(due.values_list("pk", flat=True)[:limit])
        if _claim(Invitation, pk, now)
    )


def _remind_of_session(pk: object) -> bool:
    session = EnrollmentSession.objects.select_related("user__tenant", "tenant", "invitation").get(
        pk=pk
    )
    user = session.user
    if user is None or not _can_go_on(session, user):
        _stop(session)
        return False
    invitation = letters.newest_usable(user)
    zone = schedule.zone_of(user.time_zone, session.tenant.time_zone)
    if not schedule.is_polite(clock.now(), zone):
        _postpone(session, schedule.polite(clock.now(), zone))
        return False
    number = session.reminders_sent + 1
    notices.remind(
        user=user,
        invitation=invitation,
        session=session,
        number=number,
        key=f"reminder:{session.pk}:{number}",
        is_pin_wanted=_lacks_pin(session, user, invitation),
    )
    with transaction.atomic():
        row = sessions.locked(session)
        if row.remind_at is None or row.reminders_sent >= number:
            return False
        row.reminders_sent = number
        row.remind_at = _next_for_session(row, user, zone)
        row.save(update_fields=["reminders_sent", "remind_at"])
        data = {"number": number}
        history.record(row, "enrollment.session.reminded", actor=_ACTOR, data=data)
    return True


def _can_go_on(session: EnrollmentSession, user: User) -> bool:
    """Say whether a reminder would be of any use."""
    is_unfinished = session.outcome in (SessionOutcome.OPEN, SessionOutcome.EXPIRED)
    limit = UserSettings.objects.for_user(user).max_reminders
    if not is_unfinished or not user.is_active or session.reminders_sent >= limit:
        return False
    if session.reminders_stopped_at is not None:
        return False
    # Somebody without a password needs an invitation that is still valid to start again.
    return user.has_usable_password() or letters.newest_usable(user) is not None


def _lacks_pin(session: EnrollmentSession, user: User, invitation: Invitation | None) -> bool:
    """A reminder without a way in would only annoy: a new PIN goes along when the old one died."""
    if session.is_open and session.pin_verified_at is not None and user.has_usable_password():
        return False
    policy = UserSettings.objects.for_user(user)
    return factors.needs_pin(user, invitation, policy) and not pins.has_live(user)


def _next_for_session(row: EnrollmentSession, user: User, zone: dt.tzinfo) -> dt.datetime | None:
    if row.reminders_sent >= UserSettings.objects.for_user(user).max_reminders:
        return None
    return schedule.unfinished(
        since=row.last_step_at, sent=row.reminders_sent, now=clock.now(), zone=zone
    )


def _stop(row: EnrollmentSession | Invitation) -> None:
    type(row).objects.filter(pk=row.pk).update(remind_at=None)


def _postpone(row: EnrollmentSession | Invitation, until: dt.datetime) -> None:
    type(row).objects.filter(pk=row.pk, remind_at__isnull=False).update(remind_at=until)


def _remind_of_invitation(pk: object) -> bool:
    invitation = Invitation.objects.select_related("user__tenant", "tenant").get(pk=pk)
    user, now = invitation.user, clock.now()
    limit = UserSettings.objects.for_user(user).max_reminders
    is_waiting = invitation.status == InvitationStatus.PENDING and invitation.expires_at > now
    if not is_waiting or not user.is_active or invitation.reminders_sent >= limit:
        _stop(invitation)
        return False
    zone = schedule.zone_of(user.time_zone, invitation.tenant.time_zone)
    if not schedule.is_polite(now, zone):
        _postpone(invitation, schedule.polite(now, zone))
        return False
    number = invitation.reminders_sent + 1
    policy = UserSettings.objects.for_user(user)
    notices.remind(
        user=user,
        invitation=invitation,
        number=number,
        # The count starts again when the invitation is sent again, the key must not.
        key=f"reminder:{invitation.pk}:{invitation.sent_count}:{number}",
        is_pin_wanted=factors.needs_pin(user, invitation, policy) and not pins.has_live(user),
    )
    return _note_invitation_reminder(invitation, number, limit, zone)


@transaction.atomic
def _note_invitation_reminder(
    invitation: Invitation, number: int, limit: int, zone: dt.tzinfo
) -> bool:
    row = Invitation.objects.select_for_update(of=("self",)).get(pk=invitation.pk)
    is_same_round = row.sent_count == invitation.sent_count and row.reminders_sent < number
    if row.remind_at is None or not is_same_round:
        return False
    row.reminders_sent = number
    row.remind_at = schedule.unopened(now=clock.now(), zone=zone) if number < limit else None
    row.save(update_fields=["reminders_sent", "remind_at"])
    history.record(
        invitation, "enrollment.invitation.reminded", actor=_ACTOR, data={"number": number}
    )
    return True

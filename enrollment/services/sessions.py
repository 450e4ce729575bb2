"""Records how far an attempt came: the funnel, monotone, written with its history."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction

from accounts.models import User, UserSettings
from core import clock, history
from core.actors import Actor
from devices.models import Device
from enrollment import schedule
from enrollment.errors import SessionEnded
from enrollment.models import (
    EnrollmentSession,
    Invitation,
    InvitationStatus,
    IssuedProfile,
    SessionOutcome,
    SessionStage,
    StoppedReason,
)
from enrollment.services import cancellation, ledger, letters, progress
from enrollment.states import RETRYABLE, STAGE_ORDER

SESSION_TTL = dt.timedelta(hours=24)
_FROM_THE_DEVICE = (SessionStage.IDENTITY_ISSUED, SessionStage.CHECKED_IN)
_FOLLOWS = {
    SessionStage.AUTHENTICATED: InvitationStatus.IN_PROGRESS,
    SessionStage.ACTIVE: InvitationStatus.COMPLETED,
}


def locked(session: EnrollmentSession) -> EnrollmentSession:
    """Return the attempt with its row locked, after its invitation's: always in this order."""
    if session.invitation_id is not None:
        Invitation.objects.select_for_update(of=("self",)).get(pk=session.invitation_id)
    return (
        EnrollmentSession.objects.select_for_update(of=("self",))
        .select_related("invitation__user", "user", "tenant")
        .get(pk=session.pk)
    )


@transaction.atomic
def record(
    session: EnrollmentSession, stage: str, *, actor: Actor, device: Device | None = None
) -> EnrollmentSession:
    """Note that the attempt reached `stage`; a stage that lies behind is no news and no error.

    Steps that were skipped get the same time, so that the funnel never grows. Any news clears
    why it had stopped. Becoming active ends the attempt, completes its invitation and stops every
    reminder of the person. Raises SessionEnded for news about an attempt that ended.
    """
    row = locked(session)
    if row.has_reached(stage):
        return _keep_device(row, device, stage)
    if not row.is_open:
        raise SessionEnded
    now = clock.now()
    fields = ["stage", "stopped_reason", "expires_at", *_reach(row, stage, now)]
    row.stage, row.stopped_reason, row.expires_at = stage, "", now + SESSION_TTL
    if device is not None:
        row.device = device
        fields.append("device")
    fields += _finish(row, now) if stage == SessionStage.ACTIVE else _remind_later(row, now)
    row.save(update_fields=fields)
    data = {"device": str(row.device_id)} if row.device_id else None
    history.record(row, f"enrollment.session.{stage}", actor=actor, data=data)
    _follow(row, stage, actor)
    return row


def _reach(row: EnrollmentSession, stage: str, now: dt.datetime) -> list[str]:
    """Stamp the stage and those before it that have no time yet; returns the changed fields."""
    names = [f"{name}_at" for name in STAGE_ORDER[: STAGE_ORDER.index(stage) + 1]]
    missing = [name for name in names if getattr(row, name) is None]
    for name in missing:
        setattr(row, name, now)
    return missing


def _keep_device(row: EnrollmentSession, device: Device | None, stage: str) -> EnrollmentSession:
    """A newer certificate of the same attempt may have made a newer entry."""
    is_news = device is not None and row.is_open and row.device_id != device.pk
    is_going_on = row.is_open and row.stopped_reason and stage in _FROM_THE_DEVICE
    if is_news:
        row.device = device
    if is_going_on:
        row.stopped_reason = ""
    if is_news or is_going_on:
        row.save(update_fields=["device", "stopped_reason"])
    return row


def _finish(row: EnrollmentSession, now: dt.datetime) -> list[str]:
    row.outcome, row.ended_at, row.remind_at = SessionOutcome.ACTIVE, now, None
    cancellation.void_profiles(row)
    return ["outcome", "ended_at", "remind_at"]


def _remind_later(row: EnrollmentSession, now: dt.datetime) -> list[str]:
    row.remind_at = first_reminder(row, now)
    return ["remind_at"]


def first_reminder(row: EnrollmentSession, now: dt.datetime) -> dt.datetime | None:
    """Return when to remind after a step at `now`; None for nobody, or when all are used up."""
    if row.user is None or row.reminders_stopped_at is not None:
        return None
    limit = UserSettings.objects.for_user(row.user).max_reminders
    if row.reminders_sent >= limit:
        return None
    zone = schedule.zone_of(row.user.time_zone, row.tenant.time_zone)
    return schedule.unfinished(since=now, sent=min(row.reminders_sent, 1), now=now, zone=zone)


def _follow(row: EnrollmentSession, stage: str, actor: Actor) -> None:
    if row.invitation is not None and stage in _FOLLOWS:
        progress.move(row.invitation, _FOLLOWS[SessionStage(stage)], actor=actor)
    if stage == SessionStage.ACTIVE and row.user is not None:
        stop_reminders(row.user)
        letters.queue_confirmation(row)


def stop_reminders(user: User) -> None:
    """Stop every reminder of a person: the first completion is enough."""
    EnrollmentSession.objects.filter(user=user, remind_at__isnull=False).update(remind_at=None)
    Invitation.objects.filter(user=user, remind_at__isnull=False).update(remind_at=None)
    ledger.cancel_of_person(user)


@transaction.atomic
def refuse(session: EnrollmentSession, reason: str, *, actor: Actor) -> EnrollmentSession:
    """Note why the device was turned away; the page says what to do.

    After a retryable reason the attempt stays open and goes on with a new profile, after any
    other it ends. No effect on an attempt that has ended.
    """
    row = locked(session)
    if not row.is_open:
        return row
    if reason not in RETRYABLE:
        return _end(row, SessionOutcome.REFUSED, reason, actor)
    row.stopped_reason = reason
    row.save(update_fields=["stopped_reason"])
    history.record(row, "enrollment.session.refused", actor=actor, data={"reason": reason})
    return row


@transaction.atomic
def end(
    session: EnrollmentSession,
    outcome: str,
    reason: str,
    *,
    actor: Actor,
    but: IssuedProfile | None = None,
) -> EnrollmentSession:
    """End an open attempt without a device; no effect on one that has ended.

    The profile `but` is kept, so that `reopen` can take the attempt up again.
    """
    row = locked(session)
    return _end(row, outcome, reason, actor, but) if row.is_open else row


@transaction.atomic
def reopen(session: EnrollmentSession, *, actor: Actor) -> EnrollmentSession:
    """Take up an attempt again that its person had cancelled. The caller checks its profile."""
    row, now = locked(session), clock.now()
    if row.is_open:
        return row
    if row.stopped_reason != StoppedReason.CANCELLED:
        raise SessionEnded
    row.outcome, row.stopped_reason, row.ended_at = SessionOutcome.OPEN, "", None
    row.expires_at, row.remind_at = now + SESSION_TTL, first_reminder(row, now)
    row.save(update_fields=["outcome", "stopped_reason", "ended_at", "expires_at", "remind_at"])
    history.record(row, "enrollment.session.resumed", actor=actor)
    return row


def _end(
    row: EnrollmentSession,
    outcome: str,
    reason: str,
    actor: Actor,
    but: IssuedProfile | None = None,
) -> EnrollmentSession:
    row.outcome, row.stopped_reason, row.ended_at = outcome, reason, clock.now()
    fields = ["outcome", "stopped_reason", "ended_at"]
    if outcome != SessionOutcome.EXPIRED:
        row.remind_at = None
        fields.append("remind_at")
        ledger.cancel_of_session(row)
    row.save(update_fields=fields)
    cancellation.void_everything(row, reason=f"enrollment {outcome}", actor=actor, but=but)
    data: dict[str, Any] = {"reason": reason, "stage": row.stage}
    history.record(row, f"enrollment.session.{outcome}", actor=actor, data=data)
    return row

"""Ends what has run out by itself: attempts, invitations, profiles. Every sweep can run twice."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Q

from core import clock
from core.actors import Actor
from core.models import OneTimeSecret
from devices.states import DeviceState
from enrollment.models import (
    EnrollmentSession,
    Invitation,
    InvitationStatus,
    IssuedProfile,
    SessionOutcome,
    SessionStage,
    StoppedReason,
)
from enrollment.services import pins, progress, sessions

_ACTOR = Actor.system("expiry")
_STOPPED_BY_DEVICE = {
    DeviceState.ABANDONED: StoppedReason.NOT_FINISHED,
    DeviceState.UNENROLLED: StoppedReason.REFUSED_BY_DEVICE,
}


def sweep(limit: int = 500) -> int:
    """End everything that is due; returns how many rows changed."""
    return end_profiles(limit) + note_stopped(limit) + end_sessions(limit) + end_invitations(limit)


def end_sessions(limit: int = 500) -> int:
    """End attempts in which nothing happened for 24 hours, with their unused certificates."""
    due = EnrollmentSession.objects.overdue(clock.now()).order_by("expires_at")
    ended = 0
    for session in due.only("pk", "invitation_id")[:limit]:
        ended += _end_session(session)
    return ended


@transaction.atomic
def _end_session(session: EnrollmentSession) -> int:
    row = sessions.locked(session)
    # A step may have been taken since the sweep looked.
    if not row.is_open or row.expires_at > clock.now():
        return 0
    sessions.end(row, SessionOutcome.EXPIRED, StoppedReason.TIMED_OUT, actor=_ACTOR)
    return 1


def end_invitations(limit: int = 500) -> int:
    """End invitations whose time is over, with the PINs sent with them; links expire as one."""
    due = Invitation.objects.overdue(clock.now()).select_related("user").order_by("expires_at")
    return sum(_end_invitation(invitation) for invitation in list(due[:limit]))


@transaction.atomic
def _end_invitation(invitation: Invitation) -> int:
    row = Invitation.objects.select_for_update(of=("self",)).get(pk=invitation.pk)
    if row.expires_at > clock.now():
        return 0
    if not progress.move(row, InvitationStatus.EXPIRED, actor=_ACTOR):
        return 0
    if not invitation.user.has_usable_password():
        pins.void(invitation.user)
    return 1


def end_profiles(limit: int = 500) -> int:
    """Erase profiles that can neither be downloaded nor installed any more.

    One that was not used in time stops its attempt: the page then offers a new one.
    """
    now = clock.now()
    dead = (
        IssuedProfile.objects.filter(erased_at=None)
        .filter(
            Q(voided_at__isnull=False)
            | Q(link__expires_at__lte=now, challenge__used_at__isnull=False)
            | Q(link__expires_at__lte=now, first_downloaded_at=None)
            | Q(link__expires_at__lte=now, challenge__expires_at__lte=now)
        )
        .select_related("session")
        .order_by("created_at")
    )
    return sum(_end_profile(profile) for profile in list(dead[:limit]))


@transaction.atomic
def _end_profile(profile: IssuedProfile) -> int:
    session = sessions.locked(profile.session)
    now = clock.now()
    row = IssuedProfile.objects.select_related("challenge").get(pk=profile.pk)
    if row.erased_at is not None:
        return 0
    OneTimeSecret.objects.live(now).filter(pk__in=(row.link_id, row.challenge_id)).update(
        voided_at=now
    )
    row.erased_at, row.voided_at = now, row.voided_at or now
    row.sealed_content = row.sealed_link = b""
    row.save(update_fields=["erased_at", "voided_at", "sealed_content", "sealed_link"])
    if row.challenge.used_at is None:
        _stop_without_profile(session)
    return 1


def _stop_without_profile(session: EnrollmentSession) -> None:
    """Say in the funnel that the profile was not installed in time, unless it went on otherwise."""
    is_waiting = session.stage in (SessionStage.PROFILE_ISSUED, SessionStage.DOWNLOADED)
    has_another = session.profiles.filter(voided_at=None).exists()
    if session.is_open and is_waiting and not session.stopped_reason and not has_another:
        sessions.refuse(session, StoppedReason.PROFILE_EXPIRED, actor=_ACTOR)


def note_stopped(limit: int = 500) -> int:
    """Note attempts whose device gave up after it had introduced itself."""
    stuck = (
        EnrollmentSession.objects.open()
        .filter(
            stage=SessionStage.CHECKED_IN,
            stopped_reason="",
            device__state__in=list(_STOPPED_BY_DEVICE),
        )
        .select_related("device")
    )
    noted = 0
    for session in stuck[:limit]:
        if session.device is not None:
            reason = _STOPPED_BY_DEVICE[DeviceState(session.device.state)]
            sessions.refuse(session, reason, actor=_ACTOR)
            noted += 1
    return noted

"""Ends an attempt because its person says so: nothing installs any more, the device is let go."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext as _

from core import clock
from core.actors import Actor
from devices.errors import NotSupported
from devices.models import Device
from devices.services import lifecycle
from devices.states import DeviceState
from enrollment.errors import ProfileUnavailable, SessionEnded
from enrollment.models import (
    EnrollmentSession,
    IssuedProfile,
    SessionOutcome,
    StoppedReason,
)
from enrollment.services import profiles, sessions

# Whoever cancels may be overtaken by the last step of the device; later on it is a retire.
OVERTAKEN_WITHIN = dt.timedelta(minutes=10)
_LET_GO = (DeviceState.ENROLLING, DeviceState.ACTIVE)


def can_stop(session: EnrollmentSession) -> bool:
    device = session.device
    is_managed = device is not None and device.archived_at is None and device.state in _LET_GO
    return session.is_open or is_managed


@transaction.atomic
def cancel(*, session: EnrollmentSession, actor: Actor) -> EnrollmentSession:
    """The person gave up while the profile was being installed. Safe to call twice.

    The profile that was downloaded and not used can be taken up again by `resume` as long as it
    lives. The device, if it has introduced itself, is not managed any more. Raises SessionEnded
    for an attempt that ended otherwise, or was active for a while.
    """
    row = sessions.locked(session)
    if row.outcome == SessionOutcome.CANCELLED:
        return row
    if not row.is_open and not _was_overtaken(row):
        raise SessionEnded
    return stop(session=row, reason=StoppedReason.CANCELLED, actor=actor)


@transaction.atomic
def stop(*, session: EnrollmentSession, reason: str, actor: Actor) -> EnrollmentSession:
    """End an attempt and let its device go. What is left of it dies, save, after a mere cancel,
    a profile that was not used yet."""
    row = sessions.locked(session)
    kept = unused_profile(row) if reason == StoppedReason.CANCELLED else None
    row = sessions.end(row, SessionOutcome.CANCELLED, reason, actor=actor, but=kept)
    if row.device_id is not None:
        _let_go(lifecycle.locked(row.device_id), reason, actor)
    return row


@transaction.atomic
def resume(*, session: EnrollmentSession, actor: Actor) -> EnrollmentSession:
    """Go on with the profile that was downloaded before, within its minutes.

    Raises ProfileUnavailable when it is too old or was used, SessionEnded.
    """
    row = sessions.locked(session)
    if row.is_open and row.device_id is None and unused_profile(row) is None:
        raise ProfileUnavailable(_too_late())
    if row.is_open:
        return row
    if row.outcome != SessionOutcome.CANCELLED or row.user is None or not row.user.is_active:
        raise SessionEnded
    if unused_profile(row) is None:
        raise ProfileUnavailable(_too_late())
    return sessions.reopen(row, actor=actor)


def _too_late() -> str:
    return _("This profile is too old or was used. Start the registration again.")


def unused_profile(session: EnrollmentSession) -> IssuedProfile | None:
    """Return the profile that could still be installed. One query."""
    profile = profiles.current(session)
    if profile is None or profile.challenge.used_at is not None:
        return None
    return profile if profiles.is_installable(profile) else None


def can_resume(session: EnrollmentSession) -> bool:
    is_cancelled = session.stopped_reason == StoppedReason.CANCELLED and not session.is_open
    return is_cancelled and unused_profile(session) is not None


def _was_overtaken(row: EnrollmentSession) -> bool:
    if row.outcome != SessionOutcome.ACTIVE or row.active_at is None:
        return False
    return clock.now() - row.active_at <= OVERTAKEN_WITHIN


def _let_go(device: Device, reason: str, actor: Actor) -> None:
    if device.archived_at is not None or device.state not in _LET_GO:
        return
    if device.state == DeviceState.ACTIVE:
        try:
            lifecycle.request_retire(device=device, actor=actor, reason=reason)
        except NotSupported:
            lifecycle.unenroll(device_id=device.pk, actor=actor)
        return
    lifecycle.unenroll(device_id=device.pk, actor=actor)

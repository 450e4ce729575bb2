"""Voids what an attempt could still use: its profiles, their secrets and unused certificates."""

from __future__ import annotations

import uuid

from core import clock, onetime
from core.actors import Actor
from core.models import OneTimeSecret
from devices.services import identities
from enrollment.models import EnrollmentSession, IssuedProfile

PROFILE_PURPOSE = "profile"
CHALLENGE_PURPOSE = "scep_challenge"


def void_profiles(session: EnrollmentSession, *, but: uuid.UUID | None = None) -> int:
    """End the profiles of an attempt except one: no download, no identity, no bytes left.

    Must be called in a transaction. Returns how many ended.
    """
    now = clock.now()
    ending = IssuedProfile.objects.filter(session=session, voided_at=None)
    if but is not None:
        ending = ending.exclude(pk=but)
    secrets = [pk for pair in ending.values_list("link_id", "challenge_id") for pk in pair]
    OneTimeSecret.objects.live(now).filter(pk__in=secrets).update(voided_at=now)
    return ending.update(voided_at=now, erased_at=now, sealed_content=b"", sealed_link=b"")


def void_everything(
    session: EnrollmentSession,
    *,
    reason: str,
    actor: Actor,
    but: IssuedProfile | None = None,
) -> None:
    """End what belongs to an attempt that ended without a device. In the caller's transaction.

    The profile `but` stays, for an attempt that may be taken up again; while its attempt is not
    open it pays for nothing.
    """
    now = clock.now()
    void_profiles(session, but=but.pk if but else None)
    live = OneTimeSecret.objects.live(now).filter(subject=onetime.subject_of(session))
    if but is not None:
        live = live.exclude(pk__in=(but.link_id, but.challenge_id))
    live.update(voided_at=now)
    identities.revoke_unused(session_id=session.pk, reason=reason, actor=actor)

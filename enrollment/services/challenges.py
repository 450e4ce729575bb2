"""The secret inside a profile: it pays for exactly one identity, of exactly one attempt."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction

from core import clock, onetime
from core.actors import Actor
from core.models import OneTimeSecret, Tenant
from enrollment.errors import ChallengeRefused
from enrollment.models import EnrollmentSession, IssuedProfile, SessionStage, StoppedReason
from enrollment.services import cancellation, sessions

MAX_LENGTH = 128


@dataclass(frozen=True, slots=True)
class Challenge:
    """A challenge that we issued, with what it belongs to; it may be used up or too old."""

    row: OneTimeSecret
    profile: IssuedProfile

    @property
    def session(self) -> EnrollmentSession:
        return self.profile.session

    @property
    def refusal(self) -> str:
        """Why it pays for nothing (a StoppedReason), or an empty string."""
        if self.row.used_at is not None:
            return StoppedReason.CHALLENGE_USED
        is_dead = self.row.voided_at is not None or self.row.expires_at <= clock.now()
        return StoppedReason.CHALLENGE_EXPIRED if is_dead or not self.session.is_open else ""


def look_up(*, tenant: Tenant, token: str) -> Challenge:
    """Find the attempt that a challenge belongs to, whatever became of it. One query.

    Raises ChallengeRefused, with no reason, for one that this tenant never issued. Somebody who
    lost the answer to a used challenge is served by `devices.services.identities.find_issued`.
    """
    if not token or len(token) > MAX_LENGTH:
        raise ChallengeRefused
    profile = (
        IssuedProfile.objects.filter(
            tenant=tenant,
            challenge__purpose=cancellation.CHALLENGE_PURPOSE,
            challenge__hash=onetime.token_hash(token),
        )
        .select_related("challenge", "session__user", "session__tenant")
        .first()
    )
    if profile is None:
        raise ChallengeRefused
    return Challenge(profile.challenge, profile)


@transaction.atomic
def redeem(challenge: Challenge, *, actor: Actor) -> EnrollmentSession:
    """Use the challenge: True for one caller only, however many try at once.

    Call it in the transaction that issues the identity, so that both happen or none. From now on
    every other profile of the attempt is dead. Raises ChallengeRefused with the reason; the
    caller then tells `refused` outside of its transaction.
    """
    # Ending an attempt locks it first and its secrets then; the other way round is a deadlock.
    sessions.locked(challenge.session)
    if refusal := challenge.refusal:
        raise ChallengeRefused(refusal)
    if not onetime.consume(challenge.row):
        raise ChallengeRefused(StoppedReason.CHALLENGE_USED)
    session = sessions.record(challenge.session, SessionStage.IDENTITY_ISSUED, actor=actor)
    cancellation.void_profiles(session, but=challenge.profile.pk)
    return session


def refused(challenge: Challenge, error: ChallengeRefused, *, actor: Actor) -> None:
    """Write why the device got no identity, so that the open page can say what to do."""
    if error.reason:
        sessions.refuse(challenge.session, error.reason, actor=actor)

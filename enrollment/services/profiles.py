"""Issues and hands out signed enrollment profiles: short-lived, the same bytes every time."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from accounts.errors import TermsMissing
from accounts.models import UserSettings
from accounts.services import terms
from core import clock, ids, onetime, secrets
from core.actors import Actor
from enrollment import platforms
from enrollment.errors import PlatformNotReady, ProfileUnavailable, SessionEnded, WrongStep
from enrollment.models import EnrollmentSession, IssuedProfile, SessionStage
from enrollment.services import cancellation, factors, sessions

MIN_CHALLENGE_TTL = dt.timedelta(minutes=10)
MAX_LIVE = 10


@dataclass(frozen=True, slots=True)
class Download:
    """What the browser gets."""

    content: bytes
    content_type: str
    filename: str


def not_ready_reason(session: EnrollmentSession) -> str | None:
    """Say in the person's words why such a device cannot be enrolled now, or None."""
    backend = platforms.backend_of(session.platform)
    if backend is None:
        return _("Devices of this kind cannot be registered here yet.")
    return backend.not_ready_reason(session.tenant)


@transaction.atomic
def issue(*, session: EnrollmentSession, language: str, actor: Actor) -> IssuedProfile:
    """Make a new profile for an attempt whose person is confirmed.

    Earlier ones go on working until one of them is used. Nothing is stored unless the platform
    returned signed content. Raises WrongStep, TermsMissing, SessionEnded, PlatformNotReady,
    and whatever keeps
    the platform from signing.
    """
    row = sessions.locked(session)
    _check(row)
    backend = platforms.backend_of(row.platform)
    reason = not_ready_reason(row)
    if backend is None or reason:
        raise PlatformNotReady(reason or "")
    ttl = dt.timedelta(minutes=UserSettings.objects.for_user(row.user).profile_minutes)
    subject = onetime.subject_of(row)
    link, link_token = onetime.issue(
        tenant=row.tenant, purpose=cancellation.PROFILE_PURPOSE, subject=subject, ttl=ttl
    )
    # Nobody knows it before the first download, which sets when it really ends.
    challenge, challenge_token = onetime.issue(
        tenant=row.tenant,
        purpose=cancellation.CHALLENGE_PURPOSE,
        subject=subject,
        ttl=ttl + challenge_ttl(ttl),
        token_bytes=32,
    )
    built = backend.build_profile(session=row, challenge=challenge_token, language=language)
    profile_id = ids.uuid7()
    profile = IssuedProfile.objects.create(
        id=profile_id,
        tenant=row.tenant,
        session=row,
        platform=row.platform,
        identifier=built.identifier,
        content_type=built.content_type,
        filename=built.filename,
        sealed_content=secrets.seal(built.content, context=_context(profile_id)),
        sealed_link=secrets.seal(link_token.encode(), context=_context(profile_id)),
        sha256=hashlib.sha256(built.content).hexdigest(),
        link=link,
        challenge=challenge,
    )
    _drop_surplus(row)
    _note_issue(row, actor)
    return profile


def challenge_ttl(link_ttl: dt.timedelta) -> dt.timedelta:
    """How long after its first download a profile can be installed: 10 minutes at least, since
    iOS itself keeps one for eight."""
    return max(link_ttl, MIN_CHALLENGE_TTL)


def _check(row: EnrollmentSession) -> None:
    if not row.is_open:
        raise SessionEnded
    user = row.user
    if not row.has_reached(SessionStage.AUTHENTICATED) or user is None:
        raise WrongStep
    if not user.is_active or factors.must_choose_password(user):
        raise WrongStep
    if terms.due(user) is not None:
        raise TermsMissing


def _drop_surplus(row: EnrollmentSession) -> None:
    """Somebody who taps a hundred times leaves ten profiles, not a hundred."""
    live = row.profiles.filter(voided_at=None).order_by("-created_at", "-pk")
    for surplus in list(live[MAX_LIVE:]):
        now = clock.now()
        type(surplus.link).objects.live(now).filter(
            pk__in=(surplus.link_id, surplus.challenge_id)
        ).update(voided_at=now)
        IssuedProfile.objects.filter(pk=surplus.pk).update(
            voided_at=now, erased_at=now, sealed_content=b"", sealed_link=b""
        )


def _note_issue(row: EnrollmentSession, actor: Actor) -> None:
    if row.has_reached(SessionStage.PROFILE_ISSUED):
        EnrollmentSession.objects.filter(pk=row.pk).update(
            stopped_reason="", expires_at=clock.now() + sessions.SESSION_TTL
        )
        return
    sessions.record(row, SessionStage.PROFILE_ISSUED, actor=actor)


def current(session: EnrollmentSession) -> IssuedProfile | None:
    """Return the profile that counts now, dead or alive: the newest one, unless a device used an
    older one after the newest was made. One query."""
    made = list(
        session.profiles.select_related("link", "challenge").order_by("-created_at", "-pk")[
            : 2 * MAX_LIVE
        ]
    )
    used = [
        (profile.challenge.used_at, profile)
        for profile in made
        if profile.challenge.used_at is not None
    ]
    used_at, last = max(used, key=lambda pair: pair[0], default=(None, None))
    if used_at is not None and made[0].created_at <= used_at:
        return last
    return made[0] if made else None


def is_downloadable(profile: IssuedProfile) -> bool:
    return (
        profile.voided_at is None
        and profile.erased_at is None
        and (profile.link.expires_at > clock.now())
    )


def is_installable(profile: IssuedProfile) -> bool:
    """Say whether the device could still turn it into an identity, or already has."""
    if profile.challenge.used_at is not None:
        return True
    return profile.voided_at is None and profile.deadline > clock.now()


def link_token(profile: IssuedProfile) -> str:
    """Return the token of a live profile's download link. Raises ProfileUnavailable."""
    if not profile.sealed_link:
        raise ProfileUnavailable
    return secrets.unseal(profile.sealed_link, context=_context(profile.pk)).decode()


def peek(token: str) -> IssuedProfile:
    """Find what a download link gives, without downloading. Raises ProfileUnavailable."""
    link = onetime.find(cancellation.PROFILE_PURPOSE, token)
    if link is None:
        raise ProfileUnavailable
    profile = (
        IssuedProfile.objects.filter(link=link, voided_at=None)
        .select_related("session__user", "session__tenant", "challenge", "link")
        .first()
    )
    if profile is None or not profile.session.is_open or not profile.sealed_content:
        raise ProfileUnavailable
    return profile


@transaction.atomic
def download(*, token: str) -> Download:
    """Give the bytes of a live profile, the same ones each time.

    The first download starts the clock of the challenge inside. Raises ProfileUnavailable for a
    link that is unknown, too old, or of an attempt that ended, and for content that was changed.
    """
    profile = peek(token)
    session = sessions.locked(profile.session)
    if not session.is_open or session.user is None or not session.user.is_active:
        raise ProfileUnavailable
    content = secrets.unseal(profile.sealed_content, context=_context(profile.pk))
    if hashlib.sha256(content).hexdigest() != profile.sha256:
        raise ProfileUnavailable
    now = clock.now()
    counted = {"download_count": F("download_count") + 1}
    row = IssuedProfile.objects.filter(pk=profile.pk)
    is_first = row.filter(first_downloaded_at=None).update(first_downloaded_at=now, **counted)
    if is_first:
        life = challenge_ttl(profile.link.expires_at - profile.link.created_at)
        challenge = type(profile.challenge).objects.live(now).filter(pk=profile.challenge_id)
        challenge.update(expires_at=now + life)
        sessions.record(session, SessionStage.DOWNLOADED, actor=session.user.person_actor)
    else:
        row.update(**counted)
    return Download(content, profile.content_type, profile.filename)


def _context(profile_id: object) -> str:
    return f"profile:{profile_id}"

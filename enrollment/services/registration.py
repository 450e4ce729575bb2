"""What a person does on the registration pages: begin, show a PIN, sign in, choose a password."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.db import transaction
from django.db.models import Max

from accounts.known_devices import NOBODY, Known
from accounts.models import User, UserSettings
from accounts.services import terms, users
from core import clock, history, onetime
from core.actors import Actor
from core.models import Tenant
from enrollment import addresses
from enrollment.errors import (
    PasswordsDiffer,
    PasswordWrong,
    SignInRefused,
    WrongStep,
)
from enrollment.models import (
    EnrollmentSession,
    Invitation,
    InvitationStatus,
    SessionOutcome,
    SessionStage,
)
from enrollment.services import factors, limits, pins, progress, sessions

COOKIE_BYTES = 32
MAX_SECRET = 1024


@dataclass(frozen=True, slots=True)
class Browser:
    """What the person's browser says about itself, already cut to size."""

    ip: str
    platform: str
    user_agent: str = ""
    language: str = ""
    known: Known = NOBODY


@dataclass(frozen=True, slots=True)
class Entered:
    """An attempt and the cookie that proves it from now on; the cookie before is dead."""

    session: EnrollmentSession
    cookie: str


def by_cookie(cookie: str, tenant: Tenant | None = None) -> EnrollmentSession | None:
    """Return the attempt of a browser, whatever became of it. One query."""
    if not cookie or len(cookie) > 128:
        return None
    found = EnrollmentSession.objects.filter(browser_hash=onetime.token_hash(cookie))
    if tenant is not None:
        found = found.filter(tenant=tenant)
    session = found.select_related("tenant", "user__tenant", "invitation__user", "device").first()
    if session is None or (session.user is not None and not session.user.is_active):
        return None
    return None if _is_outdated(session) else session


def _is_outdated(session: EnrollmentSession) -> bool:
    """Whoever was confirmed before the password was changed elsewhere is not any more."""
    changed_at = session.user.password_changed_at if session.user else None
    if changed_at is None or not (session.is_open or session.has_moved):
        return False
    proofs = [at for at in (session.pin_verified_at, session.password_verified_at) if at]
    return bool(proofs) and max(proofs) < changed_at


def begin(*, invitation: Invitation, browser: Browser) -> Entered:
    """Begin an attempt from a live link. Raises TooManyTries."""
    limits.take_start(invitation.pk, invitation.tenant, browser.ip)
    return _begin(invitation.user, invitation, browser, actor=_person(invitation.user, browser.ip))


@transaction.atomic
def _begin(user: User, invitation: Invitation | None, browser: Browser, *, actor: Actor) -> Entered:
    now, cookie = clock.now(), onetime.new_token(COOKIE_BYTES)
    if invitation is not None:
        invitation = Invitation.objects.select_for_update(of=("self",)).get(pk=invitation.pk)
    session = EnrollmentSession(
        tenant=user.tenant,
        invitation=invitation,
        user=user,
        platform=browser.platform,
        browser_hash=onetime.token_hash(cookie),
        user_agent=browser.user_agent[:300],
        language=browser.language[:8],
        expires_at=now + sessions.SESSION_TTL,
        reminders_sent=_take_over_reminders(user),
    )
    session.remind_at = sessions.first_reminder(session, now)
    session.save(force_insert=True)
    history.record(
        session, "enrollment.session.opened", actor=actor, data={"platform": browser.platform}
    )
    if invitation is not None:
        progress.move(invitation, InvitationStatus.OPENED, actor=actor)
    return Entered(session, cookie)


def _take_over_reminders(user: User) -> int:
    """The newest attempt is what a person is reminded of, and goes on counting."""
    earlier = EnrollmentSession.objects.filter(user=user, remind_at__isnull=False)
    sent = earlier.aggregate(most=Max("reminders_sent"))["most"] or 0
    earlier.update(remind_at=None)
    return sent


def enter_pin(*, session: EnrollmentSession, typed: str, browser: Browser) -> Entered:
    """Take the PIN of the person whose link it is. Raises PinRefused, TooManyTries, WrongStep."""
    user = _still_missing(session, "pin")
    pins.clean(typed)
    limits.take_pin_try(session.tenant, browser.ip)
    pins.verify(user=user, typed=typed, actor=_person(user, browser.ip))
    limits.give_pin_try(session.tenant, browser.ip)
    return _proved(session, "pin_verified_at", browser)


def enter_password(*, session: EnrollmentSession, password: str, browser: Browser) -> Entered:
    """Take the password of the person whose link it is. Raises PasswordWrong, TooManyTries."""
    user = _still_missing(session, "password")
    known = browser.known.key_for(user.email)
    limits.take_sign_in(session.tenant, user.email, browser.ip, known=known)
    if not user.check_password(password[:MAX_SECRET]):
        raise PasswordWrong
    limits.give_sign_in(session.tenant, user.email, browser.ip, known=known)
    return _proved(session, "password_verified_at", browser)


def sign_in(*, tenant: Tenant, email: str, secret: str, browser: Browser) -> Entered:
    """Begin an attempt from the plain page with an e-mail address and a password, or a PIN.

    Unknown, disabled and passwordless people cost the same queries and the same hashes and get
    the same answer. Raises SignInRefused, TooManyTries.
    """
    email, secret = addresses.comparable(email), secret[:MAX_SECRET]
    known = browser.known.key_for(email)
    limits.take_sign_in(tenant, email, browser.ip, known=known)
    is_pin = pins.looks_like_one(secret)
    if is_pin:
        limits.take_pin_try(tenant, browser.ip)
    user = User.objects.filter(tenant=tenant, email=email).select_related("tenant").first()
    if user is None:
        make_password(secret)
        is_password = False
    else:
        is_password = user.check_password(secret)
    fits = is_password
    if is_pin and not is_password:
        fits = pins.match(pins.Holder.of(user, email), pins.clean(secret))
    if user is None or not fits or not user.is_active:
        raise SignInRefused
    if is_pin:
        limits.give_pin_try(tenant, browser.ip)
    limits.give_sign_in(tenant, email, browser.ip, known=known)
    return _enter(user, "password_verified_at" if is_password else "pin_verified_at", browser)


def enter_signed_in(*, user: User, browser: Browser, is_fresh: bool) -> Entered:
    """Begin an attempt for somebody who is signed in to the self-service portal; `is_fresh` as
    for `enter_handed_over`. Raises TooManyTries."""
    limits.take_start(user.pk, user.tenant, browser.ip)
    return enter_handed_over(user=user, browser=browser, is_fresh=is_fresh)


def enter_handed_over(*, user: User, browser: Browser, is_fresh: bool) -> Entered:
    """Begin an attempt that a signed-in person hands over, by a button or by a code.

    With a proof of just now the person is confirmed; with an older one what the policy asks
    beyond the password, such as a PIN, is asked for by the pages.
    """
    if is_fresh:
        return enter_confirmed(user=user, browser=browser)
    return _enter(user, "password_verified_at", browser)


@transaction.atomic
def enter_confirmed(*, user: User, browser: Browser) -> Entered:
    """Begin an attempt for somebody who was confirmed on another screen or in the client app:
    neither PIN nor password is asked for."""
    actor = _person(user, browser.ip)
    entered = _begin(user, _usable_invitation(user), browser, actor=actor)
    EnrollmentSession.objects.filter(pk=entered.session.pk).update(password_verified_at=clock.now())
    row = sessions.record(entered.session, SessionStage.AUTHENTICATED, actor=actor)
    return Entered(row, entered.cookie)


def _enter(user: User, proof: str, browser: Browser) -> Entered:
    entered = _begin(user, _usable_invitation(user), browser, actor=_person(user, browser.ip))
    return _proved(entered.session, proof, browser)


def _usable_invitation(user: User) -> Invitation | None:
    usable = Invitation.objects.usable(clock.now()).filter(user=user)
    return usable.order_by("-created_at").first()


def _still_missing(session: EnrollmentSession, factor: str) -> User:
    """Return the person if this is the factor to show now. Raises WrongStep."""
    user = session.user
    is_early = session.is_open and not session.has_reached(SessionStage.AUTHENTICATED)
    if user is None or not is_early or not user.is_active:
        raise WrongStep
    if factors.missing(session, UserSettings.objects.for_user(user)) != factor:
        raise WrongStep
    return user


@transaction.atomic
def _proved(session: EnrollmentSession, proof: str, browser: Browser) -> Entered:
    """Note one proof; when nothing is missing the person is confirmed. A new cookie each time."""
    row = sessions.locked(session)
    if not row.is_open:
        raise WrongStep
    cookie = onetime.new_token(COOKIE_BYTES)
    setattr(row, proof, clock.now())
    row.browser_hash = onetime.token_hash(cookie)
    row.expires_at = clock.now() + sessions.SESSION_TTL
    row.save(update_fields=[proof, "browser_hash", "expires_at"])
    if row.user is not None and not factors.missing(row, UserSettings.objects.for_user(row.user)):
        actor = _person(row.user, browser.ip)
        row = sessions.record(row, SessionStage.AUTHENTICATED, actor=actor)
    return Entered(row, cookie)


def choose_password(
    *, session: EnrollmentSession, password: str, repeated: str, browser: Browser
) -> None:
    """Set the password of a confirmed person who has none, or a temporary one.

    Other attempts of the person, confirmed with what was valid before, have to begin again.
    Raises ValidationError with every reason against the password, PasswordsDiffer, WrongStep.
    """
    user = session.user
    is_confirmed = session.is_open and session.has_reached(SessionStage.AUTHENTICATED)
    if user is None or not is_confirmed or not factors.must_choose_password(user):
        raise WrongStep
    if password != repeated:
        raise PasswordsDiffer
    validate_password(password, user)
    with transaction.atomic():
        users.set_password(user=user, password=password, actor=_person(user, browser.ip))
        pins.void(user)
        shown = "pin_verified_at" if session.pin_verified_at else "password_verified_at"
        EnrollmentSession.objects.filter(pk=session.pk).update(**{shown: clock.now()})


@transaction.atomic
def accept_terms(
    *, session: EnrollmentSession, terms_id: uuid.UUID, place: str, browser: Browser
) -> None:
    """Take the acceptance of a confirmed person. Raises TermsOutdated, WrongStep."""
    user = session.user
    is_confirmed = session.is_open and session.has_reached(SessionStage.AUTHENTICATED)
    if user is None or not is_confirmed or not user.is_active:
        raise WrongStep
    terms.accept(user=user, terms_id=terms_id, actor=_person(user, browser.ip), place=place)


@transaction.atomic
def choose_platform(*, session: EnrollmentSession, platform: str) -> None:
    """Say which kind of device it is; the next profile is made for that."""
    if session.is_open and session.platform != platform:
        EnrollmentSession.objects.filter(pk=session.pk, outcome=SessionOutcome.OPEN).update(
            platform=platform
        )
        session.platform = platform


def _person(user: User, ip: str) -> Actor:
    return Actor("person", str(user.pk), user.email, ip)

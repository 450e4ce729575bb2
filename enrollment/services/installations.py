"""Client apps that people signed in to: tokens shown once, facts that are only claims."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
import uuid
from dataclasses import asdict, dataclass
from typing import Any

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _

from accounts.models import AcceptancePlace, User
from core import clock, history, ids
from core.actors import Actor
from core.models import Tenant
from enrollment import detection
from enrollment.errors import ConfirmationMissing, SignInAgain, SystemTooOld
from enrollment.models import (
    ClientInstallation,
    EnrollmentSession,
    SessionOutcome,
    SessionStage,
    StoppedReason,
)
from enrollment.services import limits, push_addresses, qr, registration, sessions
from enrollment.services.registration import Browser

PREFIX = "mcl_"
MAX_PER_PERSON = 20
SEEN_EVERY = dt.timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Facts:
    """What an app says about its phone. Nothing here is believed of the device itself, which
    tells model and system under its own identity once it is managed."""

    platform: str
    model: str = ""
    os_version: str = ""
    app_version: str = ""

    @property
    def major(self) -> int:
        text = self.os_version.partition(".")[0]
        return int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 0


@dataclass(frozen=True, slots=True)
class SignedIn:
    """`token` is the bearer token of the app, shown this once."""

    installation: ClientInstallation
    token: str


def sign_in(*, tenant: Tenant, email: str, secret: str, facts: Facts, ip: str) -> SignedIn:
    """Sign in with an e-mail address and a password or PIN; what else policy asks for follows.

    The same answer for unknown, disabled and wrong. Raises SignInRefused, TooManyTries.
    """
    entered = registration.sign_in(
        tenant=tenant, email=email, secret=secret, browser=_browser(facts, ip)
    )
    return _open(entered.session, facts, ip)


def redeem_code(*, text: str, facts: Facts, ip: str) -> SignedIn:
    """Sign in with what the app's camera read. Raises CodeRefused, SystemTooOld, TooManyTries."""
    if reason := qr.system_too_old(facts.platform, facts.major):
        raise SystemTooOld(reason)
    entered = qr.redeem(token=qr.token_in(text), browser=_browser(facts, ip), by="app")
    return _open(entered.session, facts, ip)


@transaction.atomic
def _open(session: EnrollmentSession, facts: Facts, ip: str) -> SignedIn:
    user = session.user
    if user is None:
        raise SignInAgain
    # The person is the lock for the number of installations.
    User.objects.select_for_update(of=("self",)).get(pk=user.pk)
    token = PREFIX + secrets.token_urlsafe(32)
    row = ClientInstallation.objects.create(
        tenant=user.tenant,
        user=user,
        session=session,
        platform=facts.platform,
        token_hash=_hash(token),
        facts=_kept(facts),
        last_seen_at=clock.now(),
    )
    surplus = _live(user).order_by("-created_at", "-pk").values_list("pk", flat=True)
    _end(ClientInstallation.objects.filter(pk__in=list(surplus[MAX_PER_PERSON:])))
    data = {"platform": facts.platform, "app": facts.app_version}
    history.record(user, "enrollment.client.signed_in", actor=_actor(user, ip), data=data)
    return SignedIn(row, token)


def by_token(token: str) -> ClientInstallation | None:
    """Return the installation of a bearer token, if its person may still use it. One query, and
    one more a minute."""
    if not token.startswith(PREFIX) or len(token) > 100:
        return None
    row = (
        ClientInstallation.objects.filter(
            Q(user__password_changed_at=None) | Q(user__password_changed_at__lte=F("proved_at")),
            token_hash=_hash(token),
            ended_at=None,
            user__is_active=True,
        )
        .select_related("user__tenant", "tenant", "session__user__tenant", "session__tenant")
        .first()
    )
    now = clock.now()
    if row is not None and (row.last_seen_at is None or now - row.last_seen_at > SEEN_EVERY):
        ClientInstallation.objects.filter(pk=row.pk).update(last_seen_at=now)
    return row


@transaction.atomic
def tell(*, installation: ClientInstallation, facts: dict[str, Any]) -> ClientInstallation:
    """Take what the app says now about its phone; unnamed facts stay."""
    row = ClientInstallation.objects.select_for_update(of=("self",)).get(pk=installation.pk)
    known = Facts(platform=row.platform, **row.facts)
    told = Facts(**(asdict(known) | facts))
    row.platform, row.facts = told.platform, _kept(told)
    row.save(update_fields=["platform", "facts"])
    installation.platform, installation.facts = row.platform, row.facts
    return installation


def keep_push_token(
    *, installation: ClientInstallation, kind: str, token: str
) -> ClientInstallation:
    """Note where this app takes pushes, or with no kind nowhere. Raises PushAddressRefused."""
    return push_addresses.keep_app_token(installation=installation, kind=kind, token=token)


@transaction.atomic
def sign_out(*, installation: ClientInstallation, ip: str) -> None:
    """End the token and forget the push token. Safe to call twice."""
    if _end(ClientInstallation.objects.filter(pk=installation.pk, ended_at=None)):
        user = installation.user
        history.record(user, "enrollment.client.signed_out", actor=_actor(user, ip))


def begin(*, installation: ClientInstallation, ip: str) -> EnrollmentSession:
    """Return the attempt under way, or begin one. Raises SignInAgain, TooManyTries."""
    session = current(installation)
    if session is not None and session.is_open:
        return session
    return _begin_again(installation, session, ip)


def re_enroll(
    *, installation: ClientInstallation, is_confirmed: bool, ip: str
) -> EnrollmentSession:
    """Begin from the start; the attempt under way ends, a device that is registered stays so
    until the new registration takes its place.

    Raises ConfirmationMissing with the question to show, SignInAgain, TooManyTries.
    """
    if not is_confirmed:
        raise ConfirmationMissing(
            _(
                "Register this device again? You install a new profile; settings and apps for "
                "work are set up again."
            )
        )
    earlier = current(installation)
    return _begin_again(installation, earlier, ip)


def _begin_again(
    installation: ClientInstallation, earlier: EnrollmentSession | None, ip: str
) -> EnrollmentSession:
    if earlier is None or not earlier.has_reached(SessionStage.AUTHENTICATED):
        raise SignInAgain
    limits.take_start(installation.user.pk, installation.tenant, ip)
    facts = Facts(platform=installation.platform, **installation.facts)
    with transaction.atomic():
        sessions.end(
            earlier,
            SessionOutcome.CANCELLED,
            StoppedReason.SUPERSEDED,
            actor=_actor(installation.user, ip),
        )
        entered = registration.enter_confirmed(user=installation.user, browser=_browser(facts, ip))
        ClientInstallation.objects.filter(pk=installation.pk).update(session=entered.session)
        installation.session = entered.session
    return entered.session


def current(installation: ClientInstallation) -> EnrollmentSession | None:
    """Return the attempt of this installation as it is now."""
    return (
        EnrollmentSession.objects.filter(
            pk=installation.session_id or ids.uuid7(), user=installation.user
        )
        .select_related("tenant", "user__tenant", "invitation__user", "device")
        .first()
    )


def choose_password(
    *, installation: ClientInstallation, session: EnrollmentSession, password: str, ip: str
) -> None:
    """Choose the first own password; this app stays signed in, whatever else was does not.

    Raises ValidationError with every reason against the password, WrongStep.
    """
    with transaction.atomic():
        facts = Facts(platform=installation.platform, **installation.facts)
        registration.choose_password(
            session=session, password=password, repeated=password, browser=_browser(facts, ip)
        )
        ClientInstallation.objects.filter(pk=installation.pk).update(proved_at=clock.now())


def accept_terms(
    *, installation: ClientInstallation, session: EnrollmentSession, terms_id: uuid.UUID, ip: str
) -> None:
    """Take the person's acceptance of the terms. Raises TermsOutdated, WrongStep."""
    facts = Facts(platform=installation.platform, **installation.facts)
    registration.accept_terms(
        session=session, terms_id=terms_id, place=AcceptancePlace.APP, browser=_browser(facts, ip)
    )


def prove(
    *, installation: ClientInstallation, session: EnrollmentSession, kind: str, secret: str, ip: str
) -> None:
    """Show the PIN or the password that policy asks for beside the other one.

    Raises PinRefused, PasswordWrong, WrongStep, TooManyTries.
    """
    browser = _browser(Facts(platform=installation.platform, **installation.facts), ip)
    if kind == "pin":
        registration.enter_pin(session=session, typed=secret, browser=browser)
    else:
        registration.enter_password(session=session, password=secret, browser=browser)


def _live(user: User) -> QuerySet[ClientInstallation]:
    return ClientInstallation.objects.filter(user=user, ended_at=None)


def _end(rows: QuerySet[ClientInstallation]) -> int:
    return rows.update(
        ended_at=clock.now(), push_kind="", push_token_hash="", sealed_push_token=b""
    )


def _kept(facts: Facts) -> dict[str, str]:
    kept = asdict(facts)
    del kept["platform"]
    return kept


def _browser(facts: Facts, ip: str) -> Browser:
    known = (*detection.CHOICES, detection.ANDROID)
    platform = facts.platform if facts.platform in known else detection.OTHER
    agent = f"client app {facts.app_version} ({facts.model}; {facts.os_version})"
    return Browser(ip=ip, platform=platform, user_agent=agent)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _actor(user: User, ip: str) -> Actor:
    return Actor("person", str(user.pk), user.email, ip)

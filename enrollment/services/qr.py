"""Codes for the camera of a phone: made by a confirmed person on another screen, used once."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Literal

from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts.models import User
from core import clock, history, onetime
from core.actors import Actor
from core.models import OneTimeSecret, Tenant
from enrollment import detection
from enrollment.errors import CodeRefused
from enrollment.models import EnrollmentSession, SessionOutcome, SessionStage
from enrollment.services import limits, links, registration, sessions, stopping
from enrollment.services.registration import Browser, Entered
from enrollment.states import StoppedReason

PURPOSE = "qr"
TTL = dt.timedelta(minutes=10)
# 160 bits: 32 letters of base32, without padding.
TOKEN_BYTES = 20
MAX_TYPED = 300
# Codes are for these versions and later ones; older systems register by link and PIN.
MINIMUM = {detection.IPHONE: 14, detection.IPAD: 14, detection.ANDROID: 9}

CodeState = Literal["live", "used", "expired", "replaced", "ended", "unknown"]


@dataclass(frozen=True, slots=True)
class Issued:
    """A new code. `url` holds its token, which is kept nowhere: show it, then forget it."""

    url: str
    expires_at: dt.datetime
    secret: OneTimeSecret

    @property
    def seconds(self) -> int:
        return round(TTL.total_seconds())


@dataclass(frozen=True, slots=True)
class Code:
    """What became of a code. `session` is the attempt that its first use began."""

    state: CodeState
    secret: OneTimeSecret | None = None
    user: User | None = None
    session: EnrollmentSession | None = None

    @property
    def used_at(self) -> dt.datetime | None:
        return self.secret.used_at if self.secret else None

    @property
    def device(self) -> str:
        """By which kind of device it was used, in words."""
        return device_words(self.secret.data.get("platform", "") if self.secret else "")

    @property
    def is_disowned(self) -> bool:
        return self.secret is not None and "disowned_at" in self.secret.data

    @property
    def can_disown(self) -> bool:
        """Say whether there is something of its first use that can still be ended."""
        return self.session is not None and stopping.can_stop(self.session)


def device_words(platform: str) -> str:
    words = {
        "iphone": _("an iPhone"),
        "ipad": _("an iPad"),
        "mac": _("a Mac"),
        "android": _("an Android device"),
    }
    return words.get(platform, _("a device"))


@transaction.atomic
def issue(
    *,
    user: User,
    actor: Actor,
    ip: str = "",
    session: EnrollmentSession | None = None,
    is_fresh: bool = True,
) -> Issued:
    """Make a code for a person who is signed in; the one before is void.

    `session` is the attempt of the screen that shows it, if it has one. `is_fresh` says that the
    person proved who they are just now: then the code alone confirms whoever scans it, else a PIN
    that policy asks for is asked for there. Raises TooManyTries.
    """
    limits.take_code(user.pk)
    # The person is the lock: of two codes made at once, one lives.
    user = User.objects.select_for_update(of=("self",)).select_related("tenant").get(pk=user.pk)
    subject = onetime.subject_of(user)
    onetime.void(PURPOSE, subject)
    data = {"email": user.email, "maker_ip": ip, "is_fresh": is_fresh}
    if session is not None:
        data["maker"] = str(session.pk)
    secret, token = onetime.issue(
        tenant=user.tenant,
        purpose=PURPOSE,
        subject=subject,
        ttl=TTL,
        data=data,
        token_bytes=TOKEN_BYTES,
    )
    history.record(user, "enrollment.code.issued", actor=actor)
    return Issued(url_of(user.tenant, token), secret.expires_at, secret)


def url_of(tenant: Tenant, token: str) -> str:
    """Return what the code says: our public address and the token, nothing about the person."""
    return links.url_of(tenant, f"q/{token}")


def token_in(text: str) -> str:
    """Return the token of what a camera read: the whole address, or the token alone."""
    return text.strip()[:MAX_TYPED].partition("?")[0].rstrip("/").rpartition("/")[2]


def look_up(token: str) -> Code:
    """Find what a code leads to; reading uses nothing up. Three queries at most."""
    if not token or len(token) > 128:
        return Code("unknown")
    found = OneTimeSecret.objects.filter(purpose=PURPOSE, hash=onetime.token_hash(token))
    secret = found.select_related("tenant").first()
    return _code(secret) if secret else Code("unknown")


def newest(user: User) -> Code | None:
    """Return the last code that a person made, or None. Three queries."""
    made = OneTimeSecret.objects.filter(purpose=PURPOSE, subject=onetime.subject_of(user))
    secret = made.select_related("tenant").order_by("-created_at", "-pk").first()
    return _code(secret) if secret else None


def _code(secret: OneTimeSecret) -> Code:
    pk = secret.subject.partition(":")[2]
    user = User.objects.filter(pk=pk, tenant_id=secret.tenant_id).select_related("tenant").first()
    if user is None:
        return Code("unknown")
    session = None
    if secret.used_at is not None and "session" in secret.data:
        began = EnrollmentSession.objects.filter(pk=secret.data["session"])
        session = began.select_related("user", "device", "tenant").first()
    return Code(_state(secret, user), secret, user, session)


def _state(secret: OneTimeSecret, user: User) -> CodeState:
    if secret.used_at is not None:
        return "used"
    outdated_by = (user.password_changed_at, user.tenant.links_voided_at)
    is_outdated = any(at is not None and at >= secret.created_at for at in outdated_by)
    if is_outdated or not user.is_active or secret.data.get("email") != user.email:
        return "ended"
    if secret.voided_at is not None:
        return "replaced"
    return "live" if secret.expires_at > clock.now() else "expired"


def why(code: Code) -> str:
    """Say what happened to a code that opens nothing, and what helps."""
    words = {
        "expired": _("This code has expired. Ask for a new one where it was shown."),
        "replaced": _("A newer code took the place of this one. Scan the one that is shown now."),
        "ended": _("This code is no longer valid. Sign in again where it was shown, and make one."),
        "unknown": _("This code does not work here. Scan it again, all of it."),
    }
    if code.state != "used" or code.used_at is None:
        return words.get(code.state, words["unknown"])
    return _(
        "This code was used already, by %(device)s at %(time)s: a code works once. If that was not "
        "you, end that registration on the screen that shows the code, and make a new one there."
    ) % {"device": code.device, "time": time_words(code.used_at)}


def time_words(moment: dt.datetime) -> str:
    return date_format(timezone.localtime(moment), "TIME_FORMAT")


def system_too_old(platform: str, version: int) -> str:
    """Say that codes need a newer system, where the version (0 for unknown) is too low."""
    minimum = MINIMUM.get(platform, 0)
    if not 0 < version < minimum:
        return ""
    if platform == detection.ANDROID:
        return _(
            "Codes work from Android 9 on; this device has Android %(version)d. Register it with "
            "the link and the PIN from our mail."
        ) % {"version": version}
    return _(
        "Codes work from iOS 14 on; this device has iOS %(version)d. Register it with the link "
        "and the PIN from our mail, or sign in at the address below."
    ) % {"version": version}


def redeem(*, token: str, browser: Browser, by: str = "browser") -> Entered:
    """Use a code: begin an attempt of the person who made it, who is thereby confirmed, but for
    a PIN where the policy wants one and the code was not made just after a sign-in.

    The attempt of the screen that showed the code ends. One caller succeeds, however many try at
    once. Raises CodeRefused, TooManyTries.
    """
    limits.take_scan(browser.ip)
    return _redeem(token, browser, by)


@transaction.atomic
def _redeem(token: str, browser: Browser, by: str) -> Entered:
    code = look_up(token)
    if code.user is None or code.secret is None:
        raise CodeRefused(code.state, why(code))
    # The person is locked first, as by whoever disables a person and voids the codes.
    User.objects.select_for_update(of=("self",)).get(pk=code.user.pk)
    code = look_up(token)
    user, secret = code.user, code.secret
    if code.state != "live" or user is None or secret is None or not onetime.consume(secret):
        raise CodeRefused(code.state, why(code))
    is_fresh = secret.data.get("is_fresh", False)
    entered = registration.enter_handed_over(user=user, browser=browser, is_fresh=is_fresh)
    use = {"session": str(entered.session.pk), "platform": browser.platform, "by": by}
    secret.data |= use
    secret.save(update_fields=["data"])
    actor = Actor("person", str(user.pk), user.email, browser.ip)
    history.record(user, "enrollment.code.used", actor=actor, data=use)
    _end_maker(secret, user, actor)
    return entered


def _end_maker(secret: OneTimeSecret, user: User, actor: Actor) -> None:
    """The computer that showed the code is not what registers. A Mac with a profile of its own
    goes on: it may be registered as well."""
    made_by = EnrollmentSession.objects.open().filter(
        pk=secret.data.get("maker"), user=user, stage=SessionStage.AUTHENTICATED
    )
    session = made_by.first()
    if session is not None:
        sessions.end(session, SessionOutcome.CANCELLED, StoppedReason.MOVED, actor=actor)


@transaction.atomic
def disown(*, user: User, secret_id: uuid.UUID, actor: Actor) -> bool:
    """End what the first use of a person's own code began: "That was not me".

    False when nothing can be ended (any more).
    """
    found = OneTimeSecret.objects.filter(
        purpose=PURPOSE, subject=onetime.subject_of(user), pk=secret_id, used_at__isnull=False
    )
    secret = found.first()
    code = _code(secret) if secret else None
    if secret is None or code is None or code.session is None or not code.can_disown:
        return False
    secret.data["disowned_at"] = clock.now().isoformat()
    secret.save(update_fields=["data"])
    stopping.stop(session=code.session, reason=StoppedReason.DISOWNED, actor=actor)
    history.record(
        user, "enrollment.code.disowned", actor=actor, data={"session": str(code.session.pk)}
    )
    return True

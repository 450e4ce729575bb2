"""PINs: made at random, kept as slow hashes, tried five times at most, used once.

A PIN identifies nobody: it is compared only with those of a person who was found by a link or by
an e-mail address. A person has at most two live PINs, because mails arrive late; they share one
counter of tries and end together.
"""

from __future__ import annotations

import datetime as dt
import secrets
import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import Literal

from django.contrib.auth.hashers import ScryptPasswordHasher
from django.db import transaction
from django.db.models import F, QuerySet

from accounts.models import User, UserSettings
from core import clock, history, ids, onetime
from core.actors import Actor
from core.models import OneTimeSecret
from enrollment.errors import (
    PinExpired,
    PinMissing,
    PinNotDigits,
    PinRefused,
    PinTooLong,
    PinTooShort,
    PinUsed,
    PinVoid,
    PinWrong,
)

PURPOSE = "pin"
MAX_ATTEMPTS = 5
MAX_LIVE = 2
TELL_FROM_FAILURE = 3
MIN_LENGTH, MAX_LENGTH = 4, 12
MAX_TYPED = 64
_SEPARATORS = frozenset(" -‐‑‒–—.\u00a0\u202f\t")
_NEVER = 32_767
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class PinHasher(ScryptPasswordHasher):
    """scrypt with 16 MiB: about a twentieth of a second for one guess, in memory that a thief of
    the database would have to pay for each of them."""

    work_factor = 2**14
    block_size = 8
    parallelism = 1


@dataclass(frozen=True, slots=True)
class DrawnPin:
    """A PIN that nobody has yet."""

    digits: str
    hashed: str
    days: int


@dataclass(frozen=True, slots=True)
class IssuedPin:
    """`digits` is shown once, in the mail or on the page, and kept nowhere."""

    digits: str
    expires_at: dt.datetime
    days: int


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose PINs are compared. Somebody unknown costs the same work and has none."""

    subject: str
    email: str
    not_before: dt.datetime

    @classmethod
    def of(cls, user: User | None, email: str = "") -> Holder:
        if user is None:
            return cls(f"user:{ids.uuid7()}", email, _EPOCH)
        return cls(onetime.subject_of(user), user.email, user.password_changed_at or _EPOCH)


def random_digits(length: int) -> str:
    return f"{secrets.randbelow(10**length):0{length}d}"


def draw(user: User) -> DrawnPin:
    """Make up a PIN and its slow hash (30 ms of computing), without storing anything.

    Call it outside of the transaction that issues it: SQLite has one writer at a time.
    """
    policy = UserSettings.objects.for_user(user)
    digits = random_digits(policy.pin_length)
    return DrawnPin(digits, _hash(digits), policy.pin_days)


@transaction.atomic
def issue(*, user: User, actor: Actor, drawn: DrawnPin | None = None) -> IssuedPin:
    """Give a person a new PIN. The one before stays valid, any older one ends.

    The new one takes over the tries of the one before.
    """
    drawn = drawn or draw(user)
    User.objects.select_for_update(of=("self",)).get(pk=user.pk)
    live = list(_live(Holder.of(user)).filter(attempts__lt=MAX_ATTEMPTS).order_by("created_at"))
    surplus = [row.pk for row in live[: -(MAX_LIVE - 1)]]
    OneTimeSecret.objects.filter(pk__in=surplus).update(voided_at=clock.now())
    expires_at = clock.now() + dt.timedelta(days=drawn.days)
    OneTimeSecret.objects.create(
        tenant_id=user.tenant_id,
        purpose=PURPOSE,
        subject=onetime.subject_of(user),
        hash=drawn.hashed,
        data={"email": user.email, "length": len(drawn.digits)},
        expires_at=expires_at,
        attempts=max((row.attempts for row in live), default=0),
    )
    data = {"expires_at": expires_at.isoformat(), "digits": len(drawn.digits)}
    history.record(user, "enrollment.pin.issued", actor=actor, data=data)
    return IssuedPin(drawn.digits, expires_at, drawn.days)


def clean(typed: str) -> str:
    """Return the digits of what was typed or pasted: spaces and dashes are for the eye.

    Raises PinNotDigits.
    """
    text = unicodedata.normalize("NFKC", typed[:MAX_TYPED])
    digits = "".join(char for char in text if char not in _SEPARATORS)
    if not digits.isascii() or not digits.isdigit():
        raise PinNotDigits
    return digits


def looks_like_one(typed: str) -> bool:
    try:
        return MIN_LENGTH <= len(clean(typed)) <= MAX_LENGTH
    except PinNotDigits:
        return False


def verify(*, user: User, typed: str, actor: Actor) -> None:
    """Use a person's PIN. Raises the PinRefused that says what is wrong with it.

    What cannot be a PIN does not count as a try.
    """
    digits = clean(typed)
    holder = Holder.of(user)
    lengths = [row.data.get("length", len(digits)) for row in _usable(holder)]
    if not lengths:
        raise _why_none(user)
    if len(digits) < min(lengths):
        raise PinTooShort(min(lengths))
    if len(digits) > max(lengths):
        raise PinTooLong(max(lengths))
    if match(holder, digits):
        history.record(user, "enrollment.pin.accepted", actor=actor)
        return
    raise _after_failure(user, holder, actor)


def match(holder: Holder, digits: str) -> bool:
    """Compare with the live PINs of the holder and use up the one that fits.

    True for one caller only. The try is counted before the comparison, so that many at once have
    five tries together. The same queries and two slow hashes whoever the holder is.
    """
    may_try = _usable(holder).update(attempts=F("attempts") + 1) > 0
    candidates = list(_live(holder).order_by("-created_at")[:MAX_LIVE])
    hashes = [row.hash for row in candidates if may_try]
    hashes += [_decoy()] * (MAX_LIVE - len(hashes))
    fits = [PinHasher().verify(digits, hashed) for hashed in hashes]
    found = next((row for row, is_it in zip(candidates, fits, strict=False) if is_it), None)
    if found is not None and _use(holder, found):
        return True
    # Only who had a try may end it: a sixth that comes at once must not void a right fifth.
    bound = MAX_ATTEMPTS if may_try else _NEVER
    _live(holder).filter(attempts__gte=bound).update(voided_at=clock.now())
    return False


@transaction.atomic
def _use(holder: Holder, found: OneTimeSecret) -> bool:
    """Consume one PIN and end the other. Both rows are locked, so that two different PINs of a
    person, sent at the same moment, cannot both win."""
    locked = {row.pk for row in _live(holder).select_for_update().order_by("pk")}
    if found.pk not in locked or not onetime.consume(found):
        return False
    OneTimeSecret.objects.filter(pk__in=locked - {found.pk}).update(voided_at=clock.now())
    return True


def void(user: User) -> int:
    """End every live PIN of a person; returns how many."""
    return onetime.void(PURPOSE, onetime.subject_of(user))


PinState = Literal["valid", "used", "expired", "void", "tries"]


@dataclass(frozen=True, slots=True)
class PinInfo:
    """What administrators may know of a person's PIN. `tries` means void after wrong tries."""

    state: PinState
    issued_at: dt.datetime
    expires_at: dt.datetime
    tries_left: int


def info(user: User) -> PinInfo | None:
    """Return the facts of the newest PIN, or None when there never was one. One query."""
    row = _all(user).first()
    if row is None:
        return None
    tries_left = max(0, MAX_ATTEMPTS - row.attempts)
    return PinInfo(_state(row, Holder.of(user)), row.created_at, row.expires_at, tries_left)


def _state(row: OneTimeSecret, holder: Holder) -> PinState:
    if row.used_at is not None:
        return "used"
    if row.attempts >= MAX_ATTEMPTS:
        return "tries"
    is_outdated = row.created_at < holder.not_before or row.data.get("email") != holder.email
    if row.voided_at is not None or is_outdated:
        return "void"
    return "valid" if row.expires_at > clock.now() else "expired"


def has_live(user: User) -> bool:
    """Say whether a PIN that was sent still works. One query."""
    return _usable(Holder.of(user)).exists()


def _all(user: User) -> QuerySet[OneTimeSecret]:
    return OneTimeSecret.objects.filter(purpose=PURPOSE, subject=onetime.subject_of(user)).order_by(
        "-created_at"
    )


def _live(holder: Holder) -> QuerySet[OneTimeSecret]:
    """Neither used nor void, sent to the address of today, after the last change of password."""
    return OneTimeSecret.objects.live(clock.now()).filter(
        purpose=PURPOSE,
        subject=holder.subject,
        data__email=holder.email,
        created_at__gte=holder.not_before,
    )


def _usable(holder: Holder) -> QuerySet[OneTimeSecret]:
    return _live(holder).filter(attempts__lt=MAX_ATTEMPTS)


def _why_none(user: User) -> PinRefused:
    rows = list(_all(user)[:MAX_LIVE])
    if any(row.used_at for row in rows):
        return PinUsed()
    if any(row.attempts >= MAX_ATTEMPTS for row in rows):
        return PinVoid()
    if any(row.voided_at is None and row.expires_at <= clock.now() for row in rows):
        return PinExpired()
    return PinMissing()


def _after_failure(user: User, holder: Holder, actor: Actor) -> PinRefused:
    newest = _usable(holder).order_by("-created_at").first()
    if newest is None:
        refusal = _why_none(user)
        if isinstance(refusal, PinVoid):
            history.record(user, "enrollment.pin.voided", actor=actor)
        return refusal
    history.record(user, "enrollment.pin.refused", actor=actor, data={"attempts": newest.attempts})
    return PinWrong(MAX_ATTEMPTS - newest.attempts, is_told=newest.attempts >= TELL_FROM_FAILURE)


def _hash(digits: str) -> str:
    hasher = PinHasher()
    return hasher.encode(digits, hasher.salt())


@cache
def _decoy() -> str:
    """Compared with when a person has fewer than two PINs, so that the work tells nothing."""
    return _hash(random_digits(MAX_LENGTH))

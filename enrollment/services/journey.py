"""Where a person stands: the step to show now, the steps there are, and the state of the device."""

from __future__ import annotations

import datetime as dt
import enum
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import UserSettings
from accounts.services import terms
from core import clock
from enrollment.models import (
    EnrollmentSession,
    IssuedProfile,
    SessionOutcome,
    SessionStage,
    StoppedReason,
)
from enrollment.services import factors, profiles

# Apple devices drop a downloaded profile that nobody installs.
DEVICE_KEEPS = dt.timedelta(minutes=8)
IOS = ("iphone", "ipad")
_GOING_ON = ("waiting", "downloaded", "identity_issued", "checked_in")


class Step(enum.StrEnum):
    """The values are the data-step of the page's one form, where it has one."""

    START = "start"
    PIN = "pin"
    SIGN_IN = "sign-in"
    PASSWORD = "password"  # noqa: S105 - the name of a step
    TERMS = "terms"
    PROFILE = "profile"
    INSTALL = "install"
    DONE = "done"


NAMES: dict[Step, Any] = {
    Step.START: gettext_lazy("Begin"),
    Step.PIN: gettext_lazy("Confirm it is you"),
    Step.SIGN_IN: gettext_lazy("Confirm it is you"),
    Step.PASSWORD: gettext_lazy("Choose a password"),
    Step.TERMS: gettext_lazy("Accept the terms"),
    Step.PROFILE: gettext_lazy("Know what happens"),
    Step.INSTALL: gettext_lazy("Install the profile"),
}


@dataclass(frozen=True, slots=True)
class Status:
    """What the page polls: a state of the contract, the device's name, words for the person."""

    state: str
    message: str
    device: str | None = None
    until: dt.datetime | None = None
    seconds: int = 0

    def as_json(self) -> dict[str, Any]:
        answer: dict[str, Any] = {
            "state": self.state,
            "device": self.device,
            "message": self.message,
        }
        if self.until is not None:
            answer |= {"until": self.until.isoformat(), "seconds": self.seconds}
        return answer


def step_of(session: EnrollmentSession, profile: IssuedProfile | None) -> Step:
    """Return the step of an attempt. One query at most, for the policy or for the terms."""
    if session.outcome == SessionOutcome.ACTIVE:
        return Step.DONE
    if not session.is_open or session.user is None:
        return Step.START
    if not session.has_reached(SessionStage.AUTHENTICATED):
        policy = UserSettings.objects.for_user(session.user)
        return Step.PIN if factors.missing(session, policy) == "pin" else Step.SIGN_IN
    if factors.must_choose_password(session.user):
        return Step.PASSWORD
    is_going_on = profile is not None and status_of(session, profile).state in _GOING_ON
    if is_going_on:
        return Step.INSTALL
    return Step.TERMS if terms.due(session.user) else Step.PROFILE


def steps(session: EnrollmentSession, current: Step) -> tuple[int, list[str]]:
    """Return the number of the current step and the names of all steps of this person's way."""
    user, way = session.user, []
    if user is None or current not in NAMES or current == Step.START:
        return 0, []
    if session.pin_verified_at or current == Step.PIN:
        way.append(Step.PIN)
    will_sign_in = current == Step.PIN and user.has_usable_password()
    if session.password_verified_at or current == Step.SIGN_IN or will_sign_in:
        way.append(Step.SIGN_IN)
    changed_at = user.password_changed_at
    has_chosen = changed_at is not None and changed_at >= session.opened_at
    if factors.must_choose_password(user) or has_chosen:
        way.append(Step.PASSWORD)
    asked = terms.asked_of(user)
    if asked and (asked.accepted_at is None or asked.accepted_at >= session.opened_at):
        way.append(Step.TERMS)
    way += [Step.PROFILE, Step.INSTALL]
    return way.index(current) + 1, [str(NAMES[step]) for step in way]


def status_of(session: EnrollmentSession, profile: IssuedProfile | None) -> Status:
    """Return the state that the page shows. No query."""
    device = session.device.label if session.device_id and session.device else None
    if session.outcome == SessionOutcome.ACTIVE:
        return Status("active", _("You're done. This device is registered."), device)
    if session.stopped_reason and session.outcome != SessionOutcome.EXPIRED:
        return Status("refused", why_stopped(session), device)
    if not session.is_open:
        return Status("expired", _("This attempt has ended. Start again from your link."), device)
    if _has_checked_in(session, profile):
        return Status("checked_in", _("Almost done: your device is connecting."), device)
    if profile is None:
        return Status("waiting", _("There is no profile yet."))
    return _status_of_profile(profile)


def _has_checked_in(session: EnrollmentSession, profile: IssuedProfile | None) -> bool:
    """A profile that was made after a device gave up begins a new round."""
    checked_in_at = session.checked_in_at
    if session.device is not None and checked_in_at is not None:
        checked_in_at = max(checked_in_at, session.device.created_at)
    if checked_in_at is None:
        return False
    if profile is None:
        return True
    return (profile.challenge.used_at or profile.created_at) <= checked_in_at


def _status_of_profile(profile: IssuedProfile) -> Status:
    if profile.challenge.used_at is not None:
        return Status("identity_issued", _("Your device is being prepared. Please wait."))
    until, seconds = deadline(profile)
    if not profiles.is_installable(profile) or until <= clock.now():
        return Status("expired", _("This profile is too old: download it again."))
    if profile.first_downloaded_at is None:
        message = _("Waiting for you to download the profile.")
        return Status("waiting", message, None, until, seconds)
    message = _("The profile is on its way. Install it in the settings of your device.")
    return Status("downloaded", message, None, until, seconds)


def deadline(profile: IssuedProfile) -> tuple[dt.datetime, int]:
    """Return until when the person must act, and how long that was from the start."""
    begin = profile.first_downloaded_at or profile.created_at
    until = profile.deadline
    if profile.first_downloaded_at is not None and profile.platform in IOS:
        until = min(until, profile.first_downloaded_at + DEVICE_KEEPS)
    return until, max(1, round((until - begin).total_seconds()))


def why_stopped(session: EnrollmentSession) -> str:
    """Say in the person's words why it did not go on, and what helps."""
    words = {
        StoppedReason.CHALLENGE_EXPIRED: _(
            "This profile is too old: download it again. A profile works for a few minutes only."
        ),
        StoppedReason.CHALLENGE_USED: _(
            "This profile has been used already: download it again. Each one works once."
        ),
        StoppedReason.NOT_FINISHED: _(
            "Your device began and did not finish. Download the profile again."
        ),
        StoppedReason.PROFILE_EXPIRED: _("This profile is too old: download it again."),
        StoppedReason.REFUSED_BY_DEVICE: _(
            "The profile was removed from your device before it was ready. Download it again."
        ),
        StoppedReason.DEVICE_LIMIT: _(
            "You have as many registered devices as your organisation allows. Ask it to remove "
            "one that you do not use any more, then start again."
        ),
        StoppedReason.CANCELLED: _("You cancelled the registration."),
        StoppedReason.MOVED: _("You went on with the device that scanned the code."),
        StoppedReason.DISOWNED: _(
            "This registration was ended from the screen that showed the code."
        ),
    }
    if session.stopped_reason in words:
        return words[StoppedReason(session.stopped_reason)]
    return _("This attempt has ended. Start again from your link.")

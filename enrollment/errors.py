"""What enrollment refuses, in words for the person who reads them."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from core.errors import DomainError


class WrongInvitationState(DomainError):
    code = "wrong_invitation_state"
    status = 409
    message = gettext_lazy("This invitation has ended. Send a new one.")


class AddressRefused(DomainError):
    """One address cannot be invited; `address` is what was typed."""

    code = "address_refused"

    def __init__(self, address: str, message: str) -> None:
        self.address = address
        super().__init__(message, field="emails")


class AddressesRefused(DomainError):
    """Some addresses cannot be invited, so nobody was; `problems` has one per address."""

    code = "addresses_refused"

    def __init__(self, problems: Sequence[AddressRefused]) -> None:
        self.problems = list(problems)
        lines = [
            _("%(address)s: %(problem)s")
            % {"address": problem.address[:80] or "…", "problem": problem.message}
            for problem in self.problems[:20]
        ]
        super().__init__("\n".join(lines), field="emails")


class TooManyAddresses(DomainError):
    code = "too_many_addresses"

    def __init__(self, limit: int) -> None:
        super().__init__(
            _("Invite at most %(limit)d people at once.") % {"limit": limit}, field="emails"
        )


class NobodyToInvite(DomainError):
    code = "nobody_to_invite"
    message = gettext_lazy("Enter at least one e-mail address.")

    def __init__(self) -> None:
        super().__init__(field="emails")


class PersonDisabled(DomainError):
    code = "person_disabled"
    status = 409
    message = gettext_lazy("This person is disabled. Enable the person first.")


class PinNotYours(DomainError):
    code = "pin_not_yours"
    status = 403
    message = gettext_lazy(
        "This person may do more in the portal than you, so you cannot see their PIN. Send it by "
        "mail instead."
    )


class PinRefused(DomainError):
    """The PIN does not open anything. `is_void` says that only a new PIN helps."""

    code = "pin_refused"
    is_void = False

    def __init__(self, message: str = "") -> None:
        super().__init__(message, field="pin")


class PinNotDigits(PinRefused):
    code = "pin_not_digits"
    message = gettext_lazy("The PIN consists of digits only.")


class PinTooShort(PinRefused):
    code = "pin_too_short"

    def __init__(self, length: int) -> None:
        super().__init__(
            ngettext(
                "The PIN is too short: it has %(length)d digit.",
                "The PIN is too short: it has %(length)d digits.",
                length,
            )
            % {"length": length}
        )


class PinTooLong(PinRefused):
    code = "pin_too_long"

    def __init__(self, length: int) -> None:
        super().__init__(
            ngettext(
                "The PIN is too long: it has %(length)d digit.",
                "The PIN is too long: it has %(length)d digits.",
                length,
            )
            % {"length": length}
        )


class PinWrong(PinRefused):
    """`remaining` tries are left; the person is told from the third failure on."""

    code = "pin_wrong"

    def __init__(self, remaining: int, *, is_told: bool) -> None:
        self.remaining = remaining
        message = _("This PIN is not correct. Check the newest mail from us.")
        if is_told:
            message += " " + ngettext(
                "You have %(count)d try left.", "You have %(count)d tries left.", remaining
            ) % {"count": remaining}
        super().__init__(message)


class PinExpired(PinRefused):
    code = "pin_expired"
    is_void = True
    message = gettext_lazy("This PIN has expired. Request a new one below.")


class PinUsed(PinRefused):
    code = "pin_used"
    is_void = True
    message = gettext_lazy(
        "Your PIN has been used already: it works once, on one device. If that was not you, tell "
        "your organisation. Request a new one below."
    )


class PinVoid(PinRefused):
    code = "pin_void"
    is_void = True
    message = gettext_lazy("Too many wrong tries: your PIN is void. Request a new one below.")


class PinMissing(PinRefused):
    code = "pin_missing"
    is_void = True
    message = gettext_lazy("There is no PIN for you at the moment. Request one below.")


class TooManyTries(DomainError):
    """A budget is used up; `seconds` says when to come back."""

    code = "too_many_tries"
    status = 429

    def __init__(self, seconds: int) -> None:
        self.seconds = seconds
        minutes = max(1, round(seconds / 60))
        super().__init__(
            ngettext(
                "There were too many tries. Wait %(count)d minute, then try again.",
                "There were too many tries. Wait %(count)d minutes, then try again.",
                minutes,
            )
            % {"count": minutes}
        )


class SignInRefused(DomainError):
    """The one answer for wrong, unknown, disabled and passwordless alike."""

    code = "sign_in_refused"
    message = gettext_lazy(
        "That did not match. Check your e-mail address and your password or PIN, and try again."
    )


class PasswordWrong(DomainError):
    code = "password_wrong"
    message = gettext_lazy("This password is not correct.")

    def __init__(self) -> None:
        super().__init__(field="password")


class PasswordsDiffer(DomainError):
    code = "passwords_differ"
    message = gettext_lazy("The two passwords are not the same.")

    def __init__(self) -> None:
        super().__init__(field="password2")


class WrongStep(DomainError):
    """What was asked for does not belong to the step that the person has come to."""

    code = "wrong_step"
    status = 409
    message = gettext_lazy("Go on with the step that is shown now.")


class SessionEnded(DomainError):
    code = "session_ended"
    status = 409
    message = gettext_lazy("This attempt has ended. Start again from your link.")


class PlatformNotReady(DomainError):
    """The organisation cannot enroll this kind of device yet; the message says why."""

    code = "platform_not_ready"
    status = 503


class CodeRefused(DomainError):
    """The code that a camera read opens nothing; `state` says why, `code` too."""

    status = 410

    def __init__(self, state: str, message: str) -> None:
        self.state, self.code = state, f"code_{state}"
        if state == "unknown":
            self.status = 404
        super().__init__(message)


class SystemTooOld(DomainError):
    """The device says that its system is older than what a way of registering works with."""

    code = "system_too_old"
    status = 409


class SignInAgain(DomainError):
    code = "sign_in_again"
    status = 409
    message = gettext_lazy("Sign in again to register this device.")


class ConfirmationMissing(DomainError):
    code = "confirmation_missing"
    status = 409

    def __init__(self, question: str) -> None:
        super().__init__(question, field="confirmed")


class ProfileUnavailable(DomainError):
    """A download link that gives nothing any more."""

    code = "profile_unavailable"
    status = 410
    message = gettext_lazy("This profile is too old: download it again.")


class ChallengeRefused(DomainError):
    """The secret in a profile does not pay for an identity; `reason` is a StoppedReason or ""."""

    code = "challenge_refused"
    status = 403

    def __init__(self, reason: str = "") -> None:
        self.reason = reason
        super().__init__()


class RequestedTooOften(DomainError):
    code = "requested_too_often"
    status = 429
    message = gettext_lazy(
        "A mail was sent to you a moment ago. Look for it, also in the spam folder, before you "
        "ask for another one."
    )


class PinRequestsOff(DomainError):
    code = "pin_requests_off"
    status = 403
    message = gettext_lazy("Your organisation gives out PINs itself. Ask it for a new one.")


class PushKeyRefused(DomainError):
    """An uploaded credential of a push service is not usable; the message says why."""

    code = "push_key_refused"


class PushAddressRefused(DomainError):
    """A push token or browser subscription is none."""

    code = "push_address_refused"
    message = gettext_lazy("This browser or app could not be noted for reminders.")


class NoPushKey(DomainError):
    code = "no_push_key"
    status = 409
    message = gettext_lazy("Nothing is set up for this channel yet.")


class TestedTooOften(DomainError):
    code = "tested_too_often"
    status = 429
    message = gettext_lazy("Wait a minute before the next test.")

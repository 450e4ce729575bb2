"""What the devices app refuses."""

from __future__ import annotations

from typing import Any, ClassVar

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from core.errors import DomainError
from core.variables import Mistake


class WrongState(DomainError):
    """The entry's state does not allow the move."""

    code = "wrong_state"
    status = 409

    def __init__(self, *, source: str, target: str) -> None:
        self.source, self.target = source, target
        super().__init__(
            _("A device in the state “%(source)s” cannot go to “%(target)s”.")
            % {"source": source, "target": target}
        )


class NotSupported(DomainError):
    """The device's platform or channel has no such action."""

    code = "not_supported"
    message = gettext_lazy("This device does not support that action.")


class ConfirmationMismatch(DomainError):
    """What was typed is not what had to be typed."""

    code = "confirmation_mismatch"
    message = gettext_lazy("The text you typed does not match the device's name.")

    def __init__(self) -> None:
        super().__init__(field="confirmation")


class ReasonMissing(DomainError):
    code = "reason_missing"
    message = gettext_lazy("Say why, in a few words: it is kept in the history.")

    def __init__(self) -> None:
        super().__init__(field="reason")


class NameMissing(DomainError):
    code = "name_missing"
    message = gettext_lazy("Say what the device shall be called.")

    def __init__(self) -> None:
        super().__init__(field="name")


class LostTextMissing(DomainError):
    """Whoever finds the device must be able to give it back."""

    code = "lost_text_missing"
    message = gettext_lazy("Give a message or a phone number for whoever finds the device.")

    def __init__(self) -> None:
        super().__init__(field="message")


class NotLost(DomainError):
    """Where a device is may be looked at only while it is lost."""

    code = "not_lost"
    status = 409
    message = gettext_lazy("This device is not in lost mode.")


class SupervisedIsCompany(DomainError):
    code = "supervised_is_company"
    status = 409
    message = gettext_lazy("A supervised iPhone or iPad is always company owned.")

    def __init__(self) -> None:
        super().__init__(field="ownership")


class StrangerAssigned(DomainError):
    """Somebody of another organisation, or somebody disabled."""

    code = "stranger_assigned"
    message = gettext_lazy("There is no such person in your organisation.")

    def __init__(self) -> None:
        super().__init__(field="person")


class NoOpenOrder(DomainError):
    code = "no_open_order"
    status = 409
    message = gettext_lazy("No order is under way on this device.")


class CommandFinished(DomainError):
    code = "command_finished"
    status = 409
    message = gettext_lazy("This command is over; it cannot be cancelled.")


class CommandIsOrder(DomainError):
    """Retire and wipe move the device's state and are taken back as orders."""

    code = "command_is_order"
    status = 409
    message = gettext_lazy("This is an order: cancel it on the page of the device.")


class WipeLimitReached(DomainError):
    code = "wipe_limit"
    status = 409

    def __init__(self, *, limit: int = 1, waiting: int = 1) -> None:
        self.limit, self.waiting = limit, waiting
        words = ngettext(
            "At most %(limit)d wipe may be under way at a time, and %(waiting)d waits already. "
            "Wait, cancel one, or raise the limit in the settings.",
            "At most %(limit)d wipes may be under way at a time, and %(waiting)d wait already. "
            "Wait, cancel some, or raise the limit in the settings.",
            limit,
        )
        super().__init__(words % {"limit": limit, "waiting": waiting})


class DeviceLimitReached(DomainError):
    code = "device_limit"
    status = 409
    message = gettext_lazy("This person already has as many active devices as allowed.")


class IdentityConflict(DomainError):
    """A certificate that is bound to one device speaks for another."""

    code = "identity_conflict"


class CannotCancel(DomainError):
    code = "cannot_cancel"
    status = 409
    message = gettext_lazy("The device has already received this order; it cannot be cancelled.")


class ActionNotAllowed(DomainError):
    """The organisation leaves this action to its administrators."""

    code = "action_not_allowed"
    status = 403
    message = gettext_lazy(
        "Your organisation leaves this to its administrators. Ask them to do it for you."
    )


class NotYourDevice(DomainError):
    code = "not_your_device"
    status = 404
    message = gettext_lazy("This is not one of your devices.")


class NotYourOrder(DomainError):
    code = "not_your_order"
    status = 403
    message = gettext_lazy("An administrator gave this order. Only they can take it back.")


class NotYourSearch(DomainError):
    """An administrator turned lost mode on: the person may not be who carries the device."""

    code = "not_your_search"
    status = 403
    message = gettext_lazy("An administrator is looking for this device. Ask them.")


class WipeWaits(DomainError):
    """The device is already in a wipe that a second administrator has to approve."""

    code = "wipe_waits"
    status = 409
    message = gettext_lazy("A wipe of this device already waits for approval.")


class Frozen(DomainError):
    code = "frozen"
    status = 409
    message = gettext_lazy(
        "Destructive orders are frozen for the whole organisation. An owner can lift that."
    )


class NothingSelected(DomainError):
    code = "nothing_selected"
    message = gettext_lazy("No device is left to do this to.")


class TooManyTargets(DomainError):
    code = "too_many_targets"
    message = gettext_lazy("One order may reach at most 100,000 devices. Narrow the filter.")


class SelectionChanged(DomainError):
    """More or fewer devices match than whoever confirmed was shown."""

    code = "selection_changed"
    status = 409

    def __init__(self, *, count: int) -> None:
        self.count = count
        words = ngettext(
            "The devices changed meanwhile: there is now %(count)d. Look again and confirm.",
            "The devices changed meanwhile: there are now %(count)d. Look again and confirm.",
            count,
        )
        super().__init__(words % {"count": count})


class OperationOver(DomainError):
    code = "operation_over"
    status = 409
    message = gettext_lazy("This order is finished; nothing is left to cancel.")


class NotYourOperation(DomainError):
    code = "not_your_operation"
    status = 403
    message = gettext_lazy(
        "Only whoever ordered it, or somebody who may cancel orders, can do that."
    )


class CannotApprove(DomainError):
    """Whoever approves must be somebody else, with rights that are not brand-new."""

    code = "cannot_approve"
    status = 403
    REASONS: ClassVar[dict[str, Any]] = {
        "no_permission": gettext_lazy("Only administrators who may wipe devices can approve."),
        "is_requester": gettext_lazy("You ordered this yourself. Somebody else has to approve it."),
        "cool_down": gettext_lazy(
            "Your rights are less than 72 hours old. Until then somebody else has to approve."
        ),
        "promoted_by_requester": gettext_lazy(
            "Whoever ordered this gave you your rights. Somebody else has to approve it."
        ),
        "not_signed_in": gettext_lazy("Only a person who signed in just now can approve."),
    }

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(str(self.REASONS[why]))


class HoldOver(DomainError):
    code = "hold_over"
    status = 409
    message = gettext_lazy("This was decided already, or waited too long.")


class TargetsChanged(DomainError):
    """What is to be approved is not what was requested, or not what was shown."""

    code = "targets_changed"
    status = 409
    message = gettext_lazy(
        "The devices or the parameters are not those that you were shown. Order it anew."
    )


class UnknownDevices(DomainError):
    """Something that was named is not a device of the organisation: nothing is done to the rest."""

    code = "unknown_devices"
    message = gettext_lazy("Some of the devices do not exist. Nothing was done.")


class UnknownFilter(DomainError):
    code = "unknown_filter"
    message = gettext_lazy("This filter is not understood. Nothing was done.")


class VariableMistake(DomainError):
    """A text names a variable that there is not, or is cut off in the middle of one."""

    code = "variable_mistake"
    WORDS: ClassVar[dict[str, Any]] = {
        "unknown": gettext_lazy("There is no variable “%(name)s” (character %(position)d)."),
        "broken": gettext_lazy(
            "A variable begins at character %(position)d, but is not written to its end. Write "
            "${name}, or $${ for the characters themselves."
        ),
        "long": gettext_lazy("The text is too long."),
        "many": gettext_lazy("The text has too many variables."),
    }

    def __init__(self, mistake: Mistake) -> None:
        words = {"name": mistake.name, "position": mistake.position}
        super().__init__(str(self.WORDS[mistake.code]) % words, field="text")

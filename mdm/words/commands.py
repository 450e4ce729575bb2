"""Commands and their reasons in plain words."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from devices.models import Command, Platform
from devices.states import CommandStatus

NAMES = {
    "DeviceInformation": gettext_lazy("Ask for facts about the device"),
    "SecurityInfo": gettext_lazy("Ask for the state of security"),
    "ProfileList": gettext_lazy("Ask for the list of profiles"),
    "CertificateList": gettext_lazy("Ask for the list of certificates"),
    "InstalledApplicationList": gettext_lazy("Ask for the list of apps"),
    "InstallProfile": gettext_lazy("Install a profile"),
    "RemoveProfile": gettext_lazy("Remove a profile"),
    "DeviceLock": gettext_lazy("Lock"),
    "EraseDevice": gettext_lazy("Wipe"),
    "ClearPasscode": gettext_lazy("Remove the passcode"),
    "RestartDevice": gettext_lazy("Restart"),
    "ShutDownDevice": gettext_lazy("Shut down"),
    "EnableLostMode": gettext_lazy("Turn lost mode on"),
    "DisableLostMode": gettext_lazy("Turn lost mode off"),
    "DeviceLocation": gettext_lazy("Ask where it is"),
    "PlayLostModeSound": gettext_lazy("Play a sound"),
    "Settings": gettext_lazy("Rename"),
}


# What the codes mean that devices send often. They are told, and nothing is decided by them.
PLAIN: dict[tuple[str, str], Any] = {
    ("MCMDMErrorDomain", "12008"): gettext_lazy("The command was not complete."),
    ("MCMDMErrorDomain", "12013"): gettext_lazy("That profile was not installed from here."),
    ("MCMDMErrorDomain", "12021"): gettext_lazy("This device does not know the command."),
    ("MCProfileErrorDomain", "1000"): gettext_lazy("The profile is not valid."),
    ("MCInstallationErrorDomain", "4001"): gettext_lazy("The profile could not be installed."),
}


def name(command: Command) -> str:
    """Return what an administrator calls the command; one that we do not know keeps its own."""
    return str(NAMES.get(command.kind, command.kind))


def explanation(command: Command) -> str:
    """Return, in a sentence, where the command is and what happens next."""
    teller = _TELLERS.get(command.status)
    return teller(command) if teller else ""


def error_text(command: Command) -> str:
    """Return what the device said; its codes stay visible, because support asks for them."""
    told = [_link_text(error) for error in command.error[:3] if isinstance(error, dict)]
    return " – ".join(told)


def _link_text(error: dict[str, Any]) -> str:
    domain, code = error.get("domain", "?"), error.get("code", "?")
    plain = PLAIN.get((str(domain), str(code)))
    told = f"{error.get('description') or _('no explanation')} ({domain} {code})"
    return f"{told}: {plain}" if plain else told


def _queued(command: Command) -> str:
    return _("Waits for the device to contact us.")


def _sent(command: Command) -> str:
    return _("The device has it; its answer is awaited.")


def _not_now(command: Command) -> str:
    if command.device.platform == Platform.MAC:
        return _("The Mac is busy or asleep. It is tried again automatically.")
    return _("The device is locked and could not do it. It is tried again automatically.")


def _error(command: Command) -> str:
    reason = error_text(command)
    return _("The device refused: %(reason)s") % {"reason": reason or _("no explanation")}


def _expired(command: Command) -> str:
    days = max(1, (command.deadline_at - command.created_at).days)
    if command.sent_at:
        told = ngettext(
            "The device received it and did not answer within %(days)s day.",
            "The device received it and did not answer within %(days)s days.",
            days,
        )
    else:
        told = ngettext(
            "The device did not contact us within %(days)s day.",
            "The device did not contact us within %(days)s days.",
            days,
        )
    return told % {"days": days}


def _cancelled(command: Command) -> str:
    if command.sent_at:
        return _("Taken back after it had been sent.")
    return _("Taken back before the device received it.")


_TELLERS = {
    CommandStatus.QUEUED: _queued,
    CommandStatus.SENT: _sent,
    CommandStatus.NOT_NOW: _not_now,
    CommandStatus.ERROR: _error,
    CommandStatus.EXPIRED: _expired,
    CommandStatus.CANCELLED: _cancelled,
}


def moment(command: Command):
    """Return when the command last moved."""
    return command.finished_at or command.not_now_at or command.sent_at or command.created_at

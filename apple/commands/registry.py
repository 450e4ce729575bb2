"""The table of all commands by RequestType."""

from __future__ import annotations

from apple.commands.base import Command, CommandError
from apple.commands.certificate_list import CertificateList
from apple.commands.device_information import DeviceInformation
from apple.commands.device_lock import DeviceLock
from apple.commands.erase_device import EraseDevice
from apple.commands.install_profile import InstallProfile
from apple.commands.installed_application_list import InstalledApplicationList
from apple.commands.profile_list import ProfileList
from apple.commands.remove_profile import RemoveProfile
from apple.commands.security_info import SecurityInfo

COMMANDS: dict[str, Command] = {
    command.request_type: command
    for command in (
        CertificateList(),
        DeviceInformation(),
        DeviceLock(),
        EraseDevice(),
        InstallProfile(),
        InstalledApplicationList(),
        ProfileList(),
        RemoveProfile(),
        SecurityInfo(),
    )
}


def get(request_type: str) -> Command:
    """Return the command of that RequestType. Raises CommandError for one that we never send."""
    try:
        return COMMANDS[request_type]
    except KeyError:
        raise CommandError(f"no command is called {request_type}") from None

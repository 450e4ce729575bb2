"""The table of all commands by RequestType."""

from __future__ import annotations

from apple.commands.base import Command, CommandError
from apple.commands.certificate_list import CertificateList
from apple.commands.clear_passcode import ClearPasscode
from apple.commands.device_information import DeviceInformation
from apple.commands.device_location import DeviceLocation
from apple.commands.device_lock import DeviceLock
from apple.commands.disable_lost_mode import DisableLostMode
from apple.commands.enable_lost_mode import EnableLostMode
from apple.commands.erase_device import EraseDevice
from apple.commands.install_profile import InstallProfile
from apple.commands.installed_application_list import InstalledApplicationList
from apple.commands.play_lost_mode_sound import PlayLostModeSound
from apple.commands.profile_list import ProfileList
from apple.commands.remove_profile import RemoveProfile
from apple.commands.restart_device import RestartDevice
from apple.commands.security_info import SecurityInfo
from apple.commands.settings import Settings
from apple.commands.shut_down_device import ShutDownDevice

COMMANDS: dict[str, Command] = {
    command.request_type: command
    for command in (
        CertificateList(),
        ClearPasscode(),
        DeviceInformation(),
        DeviceLocation(),
        DeviceLock(),
        DisableLostMode(),
        EnableLostMode(),
        EraseDevice(),
        InstallProfile(),
        InstalledApplicationList(),
        PlayLostModeSound(),
        ProfileList(),
        RemoveProfile(),
        RestartDevice(),
        SecurityInfo(),
        Settings(),
        ShutDownDevice(),
    )
}


def get(request_type: str) -> Command:
    """Return the command of that RequestType. Raises CommandError for one that we never send."""
    try:
        return COMMANDS[request_type]
    except KeyError:
        raise CommandError(f"no command is called {request_type}") from None

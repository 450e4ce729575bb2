"""How a downloaded profile is installed, in the words of each system's own screens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from enrollment.detection import MAC

SETTINGS_13 = "x-apple.systempreferences:com.apple.Profiles-Settings.extension"
SETTINGS_11 = "x-apple.systempreferences:com.apple.preferences.configurationprofiles"


@dataclass(frozen=True, slots=True)
class Instruction:
    """One thing to do; `drawing` names a template in enrollment/drawings/."""

    title: Any
    text: Any = ""
    drawing: str = ""
    url: str = ""
    url_label: Any = ""


@dataclass(frozen=True, slots=True)
class Guide:
    """The steps for one range of versions."""

    name: Any
    steps: tuple[Instruction, ...]


_BACK = Instruction(
    _("Come back to this page"), _("It notices by itself when your device is ready.")
)


def _ios(name: Any, otherwise: Any) -> Guide:
    return Guide(
        name,
        (
            Instruction(
                _("Tap “Download profile” below, then “Allow”"),
                _("A message says that the profile was downloaded. Tap “Close”."),
                "ios_allow",
            ),
            Instruction(
                _("Open Settings and tap “Profile Downloaded”"),
                otherwise,
                "ios_settings",
            ),
            Instruction(
                _("Tap “Install” at the top right"),
                _("Enter the passcode of your device, then tap “Install” again and “Trust”."),
                "ios_install",
            ),
            _BACK,
        ),
    )


def _mac(name: Any, *steps: Instruction) -> Guide:
    download = Instruction(
        _("Click “Download profile” below"),
        _("Then double-click the downloaded file, so that your Mac takes it over."),
        "mac_download",
    )
    return Guide(name, (download, *steps, _BACK))


_INSTALL_MAC = Instruction(
    _("Double-click the profile in the list, then click “Install”"),
    _("Confirm with the name and password of an administrator of this Mac."),
    "mac_install",
)
IOS_15 = _ios(
    _("iOS and iPadOS 15 and later"),
    _("It is near the top. If it is missing, look in General › VPN & Device Management."),
)
IOS_12 = _ios(
    _("iOS and iPadOS 12 to 14"),
    _("It is near the top. If it is missing, look in General › Profiles & Device Management."),
)
MACOS_15 = _mac(
    _("macOS 15 and later"),
    Instruction(
        _("Open System Settings › General › Device Management"),
        "",
        "mac_settings",
        SETTINGS_13,
        _("Open Device Management"),
    ),
    _INSTALL_MAC,
)
MACOS_13 = _mac(
    _("macOS 13 and 14"),
    Instruction(
        _("Open System Settings › Privacy & Security › Profiles"),
        _("Profiles is at the very bottom of the list."),
        "mac_settings",
        SETTINGS_13,
        _("Open Profiles"),
    ),
    _INSTALL_MAC,
)
MACOS_11 = _mac(
    _("macOS 11 and 12"),
    Instruction(
        _("Open System Preferences › Profiles"), "", "mac_settings", SETTINGS_11, _("Open Profiles")
    ),
    Instruction(
        _("Select the profile and click “Install…”"),
        _("Confirm with the name and password of an administrator of this Mac."),
        "mac_install",
    ),
)
_VERSIONS: dict[bool, tuple[tuple[Callable[[int], bool], Guide], ...]] = {
    True: (
        (lambda major: major == 0 or major >= 15, MACOS_15),
        (lambda major: major >= 13, MACOS_13),
        (lambda major: True, MACOS_11),
    ),
    False: (
        (lambda major: major == 0 or major >= 15, IOS_15),
        (lambda major: True, IOS_12),
    ),
}


def guides(platform: str, version: int) -> tuple[Guide, list[Guide]]:
    """Return the steps to show, and those of other versions for whom the guess is wrong."""
    known = _VERSIONS[platform == MAC]
    fitting = next(guide for fits, guide in known if fits(version))
    return fitting, [guide for _fits, guide in known if guide is not fitting]

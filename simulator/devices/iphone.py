"""A simulated iPhone, and an iPad, which differs in its facts and in its browser."""

from __future__ import annotations

import os
from typing import Any, ClassVar

from ..errors import CommandError
from . import answers
from .channel import Channel
from .device import Device

LOCK_RIGHT = 4
APPS = (
    ("com.apple.mobilesafari", "Safari", "26.1"),
    ("com.microsoft.Office.Outlook", "Outlook", "4.2543.0"),
    ("com.tinyspeck.chatlyio", "Slack", "25.11.10"),
    ("org.whispersystems.signal", "Signal", "7.82"),
)


def lock(device: Device, channel: Channel, command: dict[str, Any]) -> dict[str, Any]:
    """An iPhone just locks its screen; a message shows only when a passcode is set."""
    device.ledger.step(device.udid, "screen_locked", str(command.get("Message", "")))
    if not (command.get("Message") or command.get("PhoneNumber")):
        return {}
    has_passcode = device.security()["PasscodePresent"]
    return {"MessageResult": "Success" if has_passcode else "NoPasscodeSet"}


def clear_passcode(device: Device, channel: Channel, command: dict[str, Any]) -> dict[str, Any]:
    """Only the token that this very device gave away opens it."""
    if not device.unlock_token or command.get("UnlockToken") != device.unlock_token:
        raise CommandError(12008, "MCMDMErrorDomain", "The unlock token is not valid.")
    device.has_passcode = False
    device.ledger.step(device.udid, "passcode_cleared")
    return {}


def enable_lost_mode(device: Device, channel: Channel, command: dict[str, Any]) -> dict[str, Any]:
    answers.need_supervision(device, "EnableLostMode")
    if not (command.get("Message") or command.get("PhoneNumber")):
        raise CommandError(12008, "MCMDMErrorDomain", "Lost mode needs a message or a number.")
    device.is_lost = True
    device.ledger.step(device.udid, "lost_mode_on", str(command.get("Message", "")))
    return {}


def disable_lost_mode(device: Device, channel: Channel, command: dict[str, Any]) -> dict[str, Any]:
    _need_lost_mode(device)
    device.is_lost = False
    device.ledger.step(device.udid, "lost_mode_off")
    return {}


def device_location(device: Device, channel: Channel, command: dict[str, Any]) -> dict[str, Any]:
    _need_lost_mode(device)
    device.ledger.step(device.udid, "located")
    latitude, longitude = device.place
    return {
        "Latitude": latitude,
        "Longitude": longitude,
        "HorizontalAccuracy": 12.5,
        "VerticalAccuracy": 4.0,
        "Altitude": 35.0,
        "Speed": 0.0,
        "Course": 0.0,
        "Timestamp": "2026-01-01T00:00:00Z",
    }


def play_sound(device: Device, channel: Channel, command: dict[str, Any]) -> dict[str, Any]:
    _need_lost_mode(device)
    device.ledger.step(device.udid, "sound_played")
    return {}


def _need_lost_mode(device: Device) -> None:
    answers.need_supervision(device, "Lost mode")
    if not device.is_lost:
        raise CommandError(12008, "MCMDMErrorDomain", "The device is not in lost mode.")


class IPhone(Device):
    kind: ClassVar[str] = "iPhone"
    scep_agent: ClassVar[str] = "profiled/1.0 CFNetwork/1568.200.51 Darwin/24.1.0"
    mdm_agent: ClassVar[str] = "MDM/1.0"
    answers: ClassVar = {
        **answers.COMMON,
        "DeviceLock": lock,
        "ClearPasscode": clear_passcode,
        "EnableLostMode": enable_lost_mode,
        "DisableLostMode": disable_lost_mode,
        "DeviceLocation": device_location,
        "PlayLostModeSound": play_sound,
    }

    has_passcode = True

    def hardware_keys(self) -> dict[str, Any]:
        radio = {"IMEI": self.facts.imei, "MEID": self.facts.meid} if self.facts.imei else {}
        return {**super().hardware_keys(), **radio}

    def token_keys(self, channel: Channel, first: bool) -> dict[str, Any]:
        """The unlock token comes with the first update only, and only with the right to lock."""
        if first and self.managed_by.mdm.access_rights & LOCK_RIGHT:
            self.unlock_token = os.urandom(128)
            return {"UnlockToken": self.unlock_token}
        return {}

    def information(self) -> dict[str, Any]:
        radio = {}
        if self.facts.imei:
            radio = {
                "IMEI": self.facts.imei,
                "MEID": self.facts.meid,
                "CellularTechnology": 1,
                "ModemFirmwareVersion": "2.20.03",
                "CurrentCarrierNetwork": "Orange F",
                "PhoneNumber": "+33600000000",
                "DataRoamingEnabled": False,
                "IsRoaming": False,
                "PersonalHotspotEnabled": False,
            }
        return {
            **super().information(),
            **radio,
            "IsSupervised": self.is_supervised,
            "IsCloudBackupEnabled": True,
            "IsDeviceLocatorServiceEnabled": True,
            "IsDoNotDisturbInEffect": False,
            "IsMDMLostModeEnabled": self.is_lost,
            "IsNetworkTethered": False,
            "DiagnosticSubmissionEnabled": False,
            "AppAnalyticsEnabled": False,
            "TimeZone": "Europe/Paris",
        }

    def security(self) -> dict[str, Any]:
        return {
            "HardwareEncryptionCaps": 3,
            "PasscodePresent": self.has_passcode,
            "PasscodeCompliant": self.has_passcode,
            "PasscodeCompliantWithProfiles": self.has_passcode,
            "PasscodeLockGracePeriod": 0,
            "PasscodeLockGracePeriodEnforced": 0,
            "AutoLockTime": 60,
            "ManagementStatus": {"IsUserEnrollment": False},
        }

    def applications(self) -> list[dict[str, Any]]:
        return [
            {
                "Identifier": identifier,
                "Name": name,
                "Version": f"{version}.0",
                "ShortVersion": version,
                "BundleSize": 150_000_000 + 1_000 * len(identifier),
                "DynamicSize": 24_000_000,
                "IsValidated": True,
                "Installing": False,
                "AppStoreVendable": True,
                "BetaApp": False,
                "AdHocCodeSigned": False,
                "HasUpdateAvailable": False,
            }
            for identifier, name, version in APPS
        ]


class IPad(IPhone):
    kind: ClassVar[str] = "iPad"

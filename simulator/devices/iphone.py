"""A simulated iPhone, and an iPad, which differs in its facts and in its browser."""

from __future__ import annotations

import os
from typing import Any, ClassVar

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


class IPhone(Device):
    kind: ClassVar[str] = "iPhone"
    scep_agent: ClassVar[str] = "profiled/1.0 CFNetwork/1568.200.51 Darwin/24.1.0"
    mdm_agent: ClassVar[str] = "MDM/1.0"
    answers: ClassVar = {**answers.COMMON, "DeviceLock": lock}

    has_passcode = True

    def hardware_keys(self) -> dict[str, Any]:
        radio = {"IMEI": self.facts.imei, "MEID": self.facts.meid} if self.facts.imei else {}
        return {**super().hardware_keys(), **radio}

    def token_keys(self, channel: Channel, first: bool) -> dict[str, Any]:
        """The unlock token comes with the first update only, and only with the right to lock."""
        if first and self.managed_by.mdm.access_rights & LOCK_RIGHT:
            return {"UnlockToken": os.urandom(128)}
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
            "IsSupervised": False,
            "IsCloudBackupEnabled": True,
            "IsDeviceLocatorServiceEnabled": True,
            "IsDoNotDisturbInEffect": False,
            "IsMDMLostModeEnabled": False,
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

"""SecurityInfo: passcode, encryption, firewall, secure boot and how management came about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from apple.commands import reading
from apple.commands.base import DEVICE, USER, Availability, Command, Outcome, Target

SECTION = "security"

_MANAGEMENT = reading.record(
    {
        "EnrolledViaDEP": reading.boolean,
        "UserApprovedEnrollment": reading.boolean,
        "IsUserEnrollment": reading.boolean,
        "IsActivationLockManageable": reading.boolean,
    }
)
_FIREWALL = reading.record(
    {
        "FirewallEnabled": reading.boolean,
        "BlockAllIncoming": reading.boolean,
        "StealthMode": reading.boolean,
        "LoggingEnabled": reading.boolean,
    }
)
_FIRMWARE = reading.record(
    {
        "PasswordExists": reading.boolean,
        "ChangePending": reading.boolean,
        "AllowOroms": reading.boolean,
    }
)
_SECURE_BOOT = reading.record({"SecureBootLevel": reading.text, "ExternalBootLevel": reading.text})
# FDE_PersonalRecoveryKeyCMS and its device key are secrets: an inventory is no place for them.
_READ = reading.record(
    {
        "HardwareEncryptionCaps": reading.integer,
        "PasscodePresent": reading.boolean,
        "PasscodeCompliant": reading.boolean,
        "PasscodeCompliantWithProfiles": reading.boolean,
        "PasscodeLockGracePeriod": reading.integer,
        "PasscodeLockGracePeriodEnforced": reading.integer,
        "AutoLockTime": reading.integer,
        "FDE_Enabled": reading.boolean,
        "FDE_HasPersonalRecoveryKey": reading.boolean,
        "FDE_HasInstitutionalRecoveryKey": reading.boolean,
        "SystemIntegrityProtectionEnabled": reading.boolean,
        "FirewallSettings": _FIREWALL,
        "FirmwarePasswordStatus": _FIRMWARE,
        "ManagementStatus": _MANAGEMENT,
        "SecureBoot": _SECURE_BOOT,
        "RemoteDesktopEnabled": reading.boolean,
        "AuthenticatedRootVolumeEnabled": reading.boolean,
        "BootstrapTokenAllowedForAuthentication": reading.text,
        "BootstrapTokenRequiredForSoftwareUpdate": reading.boolean,
        "BootstrapTokenRequiredForKernelExtensionApproval": reading.boolean,
        "IsRecoveryLockEnabled": reading.boolean,
    }
)


class SecurityInfo(Command):
    request_type = "SecurityInfo"
    availability: ClassVar[Mapping[str, Availability]] = {
        "iOS": Availability(since=(4,)),
        "macOS": Availability(since=(10, 7), channels=frozenset({DEVICE, USER})),
    }

    def keys(
        self, target: Target, params: Mapping[str, Any], secrets: Mapping[str, Any]
    ) -> dict[str, Any]:
        return {}

    def parse(self, body: Mapping[str, Any]) -> Outcome:
        return Outcome(sections={SECTION: _READ(body.get("SecurityInfo")) or {}})

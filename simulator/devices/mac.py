"""A simulated Mac: user channel, bootstrap token, lock with a PIN."""

from __future__ import annotations

import os
import uuid
from typing import Any, ClassVar

from .. import payloads
from ..errors import CommandError
from . import answers
from .channel import Channel
from .device import Device

APPS = (
    ("com.apple.Safari", "Safari", "26.1", 13_000_000),
    ("com.microsoft.Word", "Microsoft Word", "16.102", 2_300_000_000),
    ("org.mozilla.firefox", "Firefox", "145.0", 410_000_000),
    ("com.agilebits.onepassword7", "1Password 7", "7.11", 120_000_000),
)


def lock(device: Device, channel: Channel, command: dict[str, Any]) -> dict[str, Any]:
    """A Mac needs a six-digit PIN, restarts and answers nobody until someone types it."""
    pin = command.get("PIN", "")
    if not (isinstance(pin, str) and len(pin) == 6 and pin.isdigit()):
        raise CommandError(12008, "MCMDMErrorDomain", "DeviceLock needs a six-digit PIN.")
    device.defer(lambda: device.lock_with(pin))
    return {}


class Mac(Device):
    kind: ClassVar[str] = "Mac"
    scep_agent: ClassVar[str] = "mdmclient/1589 CFNetwork/1568.200.51 Darwin/24.1.0"
    mdm_agent: ClassVar[str] = "MDM-OSX/1.0 mdmclient/1589"
    needs_system_scope: ClassVar[bool] = True
    user_commands: ClassVar[frozenset[str]] = answers.USER_COMMANDS
    answers: ClassVar = {**answers.COMMON, "DeviceLock": lock}

    # A Mac that a person enrolled and approved counts as supervised since macOS 11.
    is_supervised = True
    user_id = ""
    short_name = "anna"
    long_name = "Anna Example"

    def login_as(self, short_name: str, long_name: str) -> None:
        """The local user who will install the profile and thereby become the managed one."""
        self.short_name, self.long_name = short_name, long_name

    def hardware_keys(self) -> dict[str, Any]:
        return {
            **super().hardware_keys(),
            "DeviceName": self.facts.device_name,
            "ModelName": self.facts.model_name,
            "Model": self.facts.product_name,
            "Challenge": os.urandom(16),  # undocumented, seen from real Macs
        }

    def token_keys(self, channel: Channel, first: bool) -> dict[str, Any]:
        return {"NotOnConsole": False}

    def after_enrollment(self) -> None:
        """The installing user becomes the managed user; a bootstrap token is escrowed."""
        capabilities = self.managed_by.mdm.capabilities
        if payloads.PER_USER in capabilities:
            self.user_id = self.user_id or str(uuid.uuid4()).upper()
            user = Channel(self.user_id, self.short_name, self.long_name)
            self.channels.append(user)
            self.token_update(user, first=True)
        if payloads.BOOTSTRAP in capabilities:
            self.escrow_bootstrap_token(os.urandom(64))

    def escrow_bootstrap_token(self, token: bytes) -> None:
        """Store, or with no bytes delete, the bootstrap token at the server."""
        self.bootstrap_token = token
        message = {"MessageType": "SetBootstrapToken", **self._who(), "BootstrapToken": token}
        self.client.check_in({**message, "AwaitingConfiguration": False})
        self.ledger.step(self.udid, "bootstrap_token_escrowed")

    def fetch_bootstrap_token(self) -> bytes:
        reply = self.client.check_in({"MessageType": "GetBootstrapToken", **self._who()})
        return bytes(reply.get("BootstrapToken", b""))

    def user_authenticate(self, user_id: str, short_name: str) -> dict[str, Any]:
        """A network account logs in."""
        message = {"MessageType": "UserAuthenticate", "UDID": self.udid, "UserID": user_id}
        names = {"UserShortName": short_name, "UserLongName": short_name.title()}
        return self.client.check_in({**message, **names})

    def information(self) -> dict[str, Any]:
        host = self.facts.device_name.replace("'", "").replace(" ", "-")
        return {
            **super().information(),
            "Model": self.facts.product_name,
            "HostName": f"{host}.local",
            "LocalHostName": host,
            "IsAppleSilicon": True,
            "HasBattery": "Book" in self.facts.model_name,
            "IsSupervised": self.is_supervised,
            "IsActivationLockSupported": True,
            "SystemIntegrityProtectionEnabled": True,
            "SupportsLOMDevice": False,
            "SupportsiOSAppInstalls": True,
            "PINRequiredForDeviceLock": True,
            "PINRequiredForEraseDevice": False,
            "EthernetMAC": self.facts.wifi_mac,
            "ProvisioningUDID": self.facts.udid,
            "ActiveManagedUsers": [self.user_id] if self.user_id else [],
            "AutoSetupAdminAccounts": [],
            "EACSPreflight": "success",
        }

    def security(self) -> dict[str, Any]:
        return {
            "FDE_Enabled": True,
            "FDE_HasPersonalRecoveryKey": True,
            "FDE_HasInstitutionalRecoveryKey": False,
            "SystemIntegrityProtectionEnabled": True,
            "FirewallSettings": {
                "FirewallEnabled": True,
                "BlockAllIncoming": False,
                "StealthMode": False,
                "Applications": [],
            },
            "FirmwarePasswordStatus": {
                "PasswordExists": False,
                "ChangePending": False,
                "AllowOroms": False,
            },
            "ManagementStatus": {
                "EnrolledViaDEP": False,
                "UserApprovedEnrollment": True,
                "IsUserEnrollment": False,
                "IsActivationLockManageable": True,
            },
            "SecureBoot": {
                "SecureBootLevel": "full",
                "ExternalBootLevel": "disallowed",
            },
            "RemoteDesktopEnabled": False,
            "AuthenticatedRootVolumeEnabled": True,
            "BootstrapTokenAllowedForAuthentication": "allowed",
            "BootstrapTokenRequiredForSoftwareUpdate": True,
            "BootstrapTokenRequiredForKernelExtensionApproval": True,
            "IsRecoveryLockEnabled": False,
        }

    def applications(self) -> list[dict[str, Any]]:
        return [
            {
                "Identifier": identifier,
                "Name": name,
                "Version": version,
                "ShortVersion": version,
                "BundleSize": size,
                "Installing": False,
                "HasUpdateAvailable": False,
            }
            for identifier, name, version, size in APPS
        ]

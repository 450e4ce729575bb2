"""DeviceInformation: model, system, storage, radio and management facts of a device."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

from apple.commands import reading
from apple.commands.base import DEVICE, USER, Availability, Command, Outcome, Target

SECTION = "device"


class Query(NamedTuple):
    """Since which versions a query exists (None: never there) and how its answer is read."""

    ios: tuple[int, ...] | None
    macos: tuple[int, ...] | None
    reader: reading.Reader


_ALWAYS: tuple[int, ...] = ()
_SUBSCRIPTION = reading.record(
    {
        "Slot": reading.text,
        "Label": reading.text,
        "ICCID": reading.text,
        "EID": reading.text,
        "IMEI": reading.text,
        "MEID": reading.text,
        "CurrentCarrierNetwork": reading.text,
        "SubscriberCarrierNetwork": reading.text,
        "CarrierSettingsVersion": reading.text,
        "IsDataPreferred": reading.boolean,
        "IsVoicePreferred": reading.boolean,
        "IsRoaming": reading.boolean,
    }
)
_OPTIONS = reading.record(
    {
        "ActivationLockAllowedWhileSupervised": reading.boolean,
        "BootstrapTokenAllowed": reading.boolean,
        "PromptUserToAllowBootstrapTokenForAuthentication": reading.boolean,
    }
)

# Phone numbers, Apple accounts and push tokens are not asked for: nothing here needs them.
QUERIES: Mapping[str, Query] = {
    "UDID": Query(_ALWAYS, _ALWAYS, reading.text),
    "ProvisioningUDID": Query(None, (11, 3), reading.text),
    "DeviceName": Query(_ALWAYS, _ALWAYS, reading.text),
    "LocalHostName": Query(None, (10, 11), reading.text),
    "HostName": Query(None, (10, 11), reading.text),
    "OSVersion": Query(_ALWAYS, _ALWAYS, reading.text),
    "SupplementalOSVersionExtra": Query((16, 1), (13,), reading.text),
    "BuildVersion": Query(_ALWAYS, _ALWAYS, reading.text),
    "SupplementalBuildVersion": Query((16, 1), (13,), reading.text),
    "ModelName": Query(_ALWAYS, _ALWAYS, reading.text),
    "Model": Query(_ALWAYS, _ALWAYS, reading.text),
    "ModelNumber": Query((16, 4), (13, 3), reading.text),
    "ProductName": Query(_ALWAYS, _ALWAYS, reading.text),
    "SerialNumber": Query(_ALWAYS, _ALWAYS, reading.text),
    "IsAppleSilicon": Query(None, (12,), reading.boolean),
    "DeviceCapacity": Query(_ALWAYS, _ALWAYS, reading.real),
    "AvailableDeviceCapacity": Query(_ALWAYS, _ALWAYS, reading.real),
    "BatteryLevel": Query((5,), (13, 3), reading.real),
    "HasBattery": Query(None, (13, 3), reading.boolean),
    "IMEI": Query(_ALWAYS, None, reading.text),
    "MEID": Query(_ALWAYS, None, reading.text),
    "ModemFirmwareVersion": Query(_ALWAYS, None, reading.text),
    "CellularTechnology": Query((4, 2, 6), None, reading.integer),
    "ServiceSubscriptions": Query((12,), None, reading.listing(_SUBSCRIPTION, 16)),
    "IsRoaming": Query((4, 2), None, reading.boolean),
    "WiFiMAC": Query(_ALWAYS, _ALWAYS, reading.text),
    "BluetoothMAC": Query(_ALWAYS, _ALWAYS, reading.text),
    "EthernetMAC": Query(None, _ALWAYS, reading.text),
    "TimeZone": Query((14,), None, reading.text),
    "IsSupervised": Query((6,), (10, 15), reading.boolean),
    "IsMultiUser": Query((9, 3), None, reading.boolean),
    "IsMDMLostModeEnabled": Query((9, 3), None, reading.boolean),
    "IsDeviceLocatorServiceEnabled": Query((7,), None, reading.boolean),
    "IsActivationLockEnabled": Query((7,), (10, 15), reading.boolean),
    "IsActivationLockSupported": Query(None, (10, 15), reading.boolean),
    "IsCloudBackupEnabled": Query((7, 1), None, reading.boolean),
    "LastCloudBackupDate": Query((8,), None, reading.moment),
    "AwaitingConfiguration": Query((9,), (10, 11), reading.boolean),
    "SystemIntegrityProtectionEnabled": Query(None, (10, 12), reading.boolean),
    "PINRequiredForEraseDevice": Query(None, (11,), reading.boolean),
    "PINRequiredForDeviceLock": Query(None, (11,), reading.boolean),
    "SupportsiOSAppInstalls": Query(None, (11,), reading.boolean),
    "EACSPreflight": Query(None, (13, 3), reading.text),
    "ActiveManagedUsers": Query(None, (10, 11), reading.listing(reading.text, 64)),
    "MDMOptions": Query((7,), (11,), _OPTIONS),
}
_DEVICE_CHANNEL_ONLY = frozenset({"ActiveManagedUsers", "EACSPreflight"})
_FACTS = {
    "DeviceName": "name",
    "SerialNumber": "serial_number",
    "ModelName": "model_name",
    "Model": "model",
    "ProductName": "product_name",
    "OSVersion": "os_version",
    "BuildVersion": "build_version",
    "IsSupervised": "is_supervised",
    "IsMDMLostModeEnabled": "is_lost",
}
_READ = reading.record({name: query.reader for name, query in QUERIES.items()})


class DeviceInformation(Command):
    request_type = "DeviceInformation"
    availability: ClassVar[Mapping[str, Availability]] = {
        "iOS": Availability(since=(4,)),
        "macOS": Availability(since=(10, 7), channels=frozenset({DEVICE, USER})),
    }
    never_not_now = frozenset({"iOS"})

    def keys(
        self, target: Target, params: Mapping[str, Any], secrets: Mapping[str, Any]
    ) -> dict[str, Any]:
        return {"Queries": [name for name in QUERIES if _is_asked(name, target)]}

    def parse(self, body: Mapping[str, Any]) -> Outcome:
        answers: dict[str, Any] = _READ(body.get("QueryResponses")) or {}
        facts = {fact: answers[key] for key, fact in _FACTS.items() if answers.get(key, "") != ""}
        return Outcome(sections={SECTION: answers}, facts=facts)


def _is_asked(name: str, target: Target) -> bool:
    if target.channel == USER and name in _DEVICE_CHANNEL_ONLY:
        return False
    query = QUERIES[name]
    since = {"iOS": query.ios, "macOS": query.macos}
    return target.has({system: version for system, version in since.items() if version is not None})

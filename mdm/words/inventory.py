"""The inventory of a device as facts and short tables, from what its answers hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format, number_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from devices.models import InventorySection

MAX_ROWS = 500
GIB = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Tab:
    kind: str
    label: Any


TABS = (
    Tab("device", gettext_lazy("Facts")),
    Tab("security", gettext_lazy("Security")),
    Tab("applications", gettext_lazy("Apps")),
    Tab("profiles", gettext_lazy("Profiles")),
    Tab("certificates", gettext_lazy("Certificates")),
)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return ", ".join(_text(item) for item in value) or "–"
    return str(value)


def _gigabytes(value: Any) -> str:
    if not isinstance(value, int | float):
        return _text(value)
    return _("%(amount).0f GB") % {"amount": value}


def _percent(value: Any) -> str:
    if not isinstance(value, int | float) or value < 0:
        return _("unknown")
    return _("%(amount).0f %%") % {"amount": value * 100}


def _moment(value: Any) -> str:
    moment = parse_datetime(value) if isinstance(value, str) else None
    return date_format(localtime(moment), "DATE_FORMAT") if moment else str(value)


def _size(value: Any) -> str:
    if not isinstance(value, int):
        return ""
    return _("%(amount)s GB") % {"amount": number_format(value / GIB, 1)}


FACTS: dict[str, tuple[Any, Callable[[Any], str]]] = {
    "DeviceName": (gettext_lazy("Name"), _text),
    "ModelName": (gettext_lazy("Model"), _text),
    "ProductName": (gettext_lazy("Product"), _text),
    "ModelNumber": (gettext_lazy("Model number"), _text),
    "SerialNumber": (gettext_lazy("Serial number"), _text),
    "OSVersion": (gettext_lazy("System version"), _text),
    "SupplementalOSVersionExtra": (gettext_lazy("Security response"), _text),
    "BuildVersion": (gettext_lazy("Build"), _text),
    "DeviceCapacity": (gettext_lazy("Storage"), _gigabytes),
    "AvailableDeviceCapacity": (gettext_lazy("Free storage"), _gigabytes),
    "BatteryLevel": (gettext_lazy("Battery"), _percent),
    "IsSupervised": (gettext_lazy("Supervised"), _text),
    "IsAppleSilicon": (gettext_lazy("Apple silicon"), _text),
    "IsActivationLockEnabled": (gettext_lazy("Activation Lock"), _text),
    "IsDeviceLocatorServiceEnabled": (gettext_lazy("Find My"), _text),
    "IsCloudBackupEnabled": (gettext_lazy("iCloud backup"), _text),
    "LastCloudBackupDate": (gettext_lazy("Last iCloud backup"), _moment),
    "TimeZone": (gettext_lazy("Time zone"), _text),
    "WiFiMAC": (gettext_lazy("Wi-Fi address"), _text),
    "BluetoothMAC": (gettext_lazy("Bluetooth address"), _text),
    "EthernetMAC": (gettext_lazy("Ethernet address"), _text),
    "HostName": (gettext_lazy("Host name"), _text),
    "LocalHostName": (gettext_lazy("Local host name"), _text),
    "IMEI": (gettext_lazy("IMEI"), _text),
    "MEID": (gettext_lazy("MEID"), _text),
    "IsRoaming": (gettext_lazy("Roaming"), _text),
    "UDID": (gettext_lazy("Device identifier"), _text),
}
SECURITY: dict[str, tuple[Any, Callable[[Any], str]]] = {
    "PasscodePresent": (gettext_lazy("Passcode set"), _text),
    "PasscodeCompliant": (gettext_lazy("Passcode meets the rules"), _text),
    "PasscodeCompliantWithProfiles": (gettext_lazy("Passcode meets the rules of profiles"), _text),
    "FDE_Enabled": (gettext_lazy("Disk encryption (FileVault)"), _text),
    "FDE_HasPersonalRecoveryKey": (gettext_lazy("Personal recovery key"), _text),
    "FDE_HasInstitutionalRecoveryKey": (gettext_lazy("Institutional recovery key"), _text),
    "SystemIntegrityProtectionEnabled": (gettext_lazy("System integrity protection"), _text),
    "AuthenticatedRootVolumeEnabled": (gettext_lazy("Sealed system volume"), _text),
    "IsRecoveryLockEnabled": (gettext_lazy("Recovery lock"), _text),
    "RemoteDesktopEnabled": (gettext_lazy("Remote desktop"), _text),
    "FirewallEnabled": (gettext_lazy("Firewall"), _text),
    "BlockAllIncoming": (gettext_lazy("Firewall blocks all incoming"), _text),
    "StealthMode": (gettext_lazy("Firewall stealth mode"), _text),
    "SecureBootLevel": (gettext_lazy("Secure boot"), _text),
    "ExternalBootLevel": (gettext_lazy("Start from other disks"), _text),
    "EnrolledViaDEP": (gettext_lazy("Enrolled automatically"), _text),
    "UserApprovedEnrollment": (gettext_lazy("Enrollment approved by the person"), _text),
}
COLUMNS: dict[str, tuple[tuple[str, Any, Callable[[Any], str]], ...]] = {
    "applications": (
        ("Name", gettext_lazy("App"), _text),
        ("ShortVersion", gettext_lazy("Version"), _text),
        ("Identifier", gettext_lazy("Identifier"), _text),
        ("BundleSize", gettext_lazy("Size"), _size),
    ),
    "profiles": (
        ("PayloadDisplayName", gettext_lazy("Profile"), _text),
        ("PayloadOrganization", gettext_lazy("From"), _text),
        ("PayloadIdentifier", gettext_lazy("Identifier"), _text),
        ("IsManaged", gettext_lazy("Installed by us"), _text),
    ),
    "certificates": (
        ("CommonName", gettext_lazy("Certificate"), _text),
        ("Issuer", gettext_lazy("Issued by"), _text),
        ("NotAfter", gettext_lazy("Valid until"), _moment),
        ("IsIdentity", gettext_lazy("With private key"), _text),
    ),
}


def facts(section: InventorySection) -> list[tuple[Any, str]]:
    """Return label and value of what a section tells, in a fixed order."""
    table = SECURITY if section.kind == "security" else FACTS
    data = dict(section.data)
    for nested in ("FirewallSettings", "SecureBoot", "ManagementStatus"):
        inner = data.pop(nested, None)
        data |= inner if isinstance(inner, dict) else {}
    return [(label, read(data[key])) for key, (label, read) in table.items() if key in data]


def table(section: InventorySection) -> dict[str, Any]:
    """Return headings and rows of a section that is a list, sorted by its first column."""
    columns = COLUMNS[section.kind]
    items = [item for item in section.data.get("items", []) if isinstance(item, dict)]
    items.sort(key=lambda item: str(item.get(columns[0][0], "")).casefold())
    rows = [
        [read(item[key]) if key in item else "" for key, _label, read in columns]
        for item in items[:MAX_ROWS]
    ]
    total = section.data.get("total", len(items))
    return {
        "headings": [label for _key, label, _read in columns],
        "rows": rows,
        "total": total,
        "hidden": max(0, total - len(rows)),
    }

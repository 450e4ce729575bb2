"""InstalledApplicationList: the apps on a device, with versions and sizes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from apple.commands import base, reading
from apple.commands.base import DEVICE, USER, Availability, Command, Outcome, Target

SECTION = "applications"
MAX_APPLICATIONS = 5000
MAX_IDENTIFIERS = 500
_FILTERS_SINCE = {"iOS": (7,), "macOS": (10, 15)}

_APPLICATION = reading.record(
    {
        "Identifier": reading.text,
        "Name": reading.text,
        "Version": reading.text,
        "ShortVersion": reading.text,
        "ExternalVersionIdentifier": reading.integer,
        "DistributorIdentifier": reading.text,
        "BundleSize": reading.integer,
        "DynamicSize": reading.integer,
        "IsValidated": reading.boolean,
        "Installing": reading.boolean,
        "AppStoreVendable": reading.boolean,
        "DeviceBasedVPP": reading.boolean,
        "BetaApp": reading.boolean,
        "AdHocCodeSigned": reading.boolean,
        "HasUpdateAvailable": reading.boolean,
        "DownloadFailed": reading.boolean,
        "DownloadWaiting": reading.boolean,
        "DownloadPaused": reading.boolean,
        "DownloadCancelled": reading.boolean,
        "IsAppClip": reading.boolean,
        "Source": reading.text,
    }
)


class InstalledApplicationList(Command):
    request_type = "InstalledApplicationList"
    availability: ClassVar[Mapping[str, Availability]] = {
        "iOS": Availability(since=(5,)),
        "macOS": Availability(since=(10, 7), channels=frozenset({DEVICE, USER})),
    }
    param_names = frozenset({"managed_only", "identifiers"})
    public_params = param_names
    never_not_now = frozenset({"iOS"})

    def keys(
        self, target: Target, params: Mapping[str, Any], secrets: Mapping[str, Any]
    ) -> dict[str, Any]:
        identifiers = params.get("identifiers", [])
        if not isinstance(identifiers, list) or len(identifiers) > MAX_IDENTIFIERS:
            raise base.CommandError(f"identifiers must be at most {MAX_IDENTIFIERS} names")
        for name in identifiers:
            base.string({"identifier": name}, "identifier", limit=255, required=True)
        keys: dict[str, Any] = {}
        if target.has(_FILTERS_SINCE):
            if base.boolean(params, "managed_only", default=False):
                keys["ManagedAppsOnly"] = True
            if identifiers:
                keys["Identifiers"] = list(identifiers)
        return keys

    def parse(self, body: Mapping[str, Any]) -> Outcome:
        found = reading.section(
            body.get("InstalledApplicationList"), _APPLICATION, MAX_APPLICATIONS
        )
        return Outcome(sections={SECTION: found})

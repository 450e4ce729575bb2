"""ProfileList: the configuration profiles that are installed, and by whom."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from apple.commands import base, reading
from apple.commands.base import DEVICE, USER, Availability, Command, Outcome, Target

SECTION = "profiles"
MAX_PROFILES = 500
MAX_PAYLOADS = 200
_MANAGED_ONLY_SINCE = {"iOS": (13,), "macOS": (10, 15)}

_PAYLOAD = reading.record(
    {
        "PayloadType": reading.text,
        "PayloadIdentifier": reading.text,
        "PayloadUUID": reading.text,
        "PayloadDisplayName": reading.text,
    }
)
_PROFILE = reading.record(
    {
        "PayloadIdentifier": reading.text,
        "PayloadUUID": reading.text,
        "PayloadVersion": reading.integer,
        "PayloadDisplayName": reading.text,
        "PayloadOrganization": reading.text,
        "PayloadDescription": reading.text,
        "PayloadRemovalDisallowed": reading.boolean,
        "HasRemovalPasscode": reading.boolean,
        "IsEncrypted": reading.boolean,
        "IsManaged": reading.boolean,
        "Source": reading.text,
        "PayloadContent": reading.listing(_PAYLOAD, MAX_PAYLOADS),
    }
)


class ProfileList(Command):
    request_type = "ProfileList"
    availability: ClassVar[Mapping[str, Availability]] = {
        "iOS": Availability(since=(4,)),
        "macOS": Availability(since=(10, 7), channels=frozenset({DEVICE, USER})),
    }
    param_names = frozenset({"managed_only"})
    public_params = frozenset({"managed_only"})
    never_not_now = frozenset({"iOS"})

    def keys(
        self, target: Target, params: Mapping[str, Any], secrets: Mapping[str, Any]
    ) -> dict[str, Any]:
        managed_only = base.boolean(params, "managed_only", default=False)
        if managed_only and target.has(_MANAGED_ONLY_SINCE):
            return {"ManagedOnly": True}
        return {}

    def parse(self, body: Mapping[str, Any]) -> Outcome:
        found = reading.section(body.get("ProfileList"), _PROFILE, MAX_PROFILES)
        return Outcome(sections={SECTION: found})

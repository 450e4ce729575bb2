"""EraseDevice: wipes a device. The answer, if one comes, comes before the erasing."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any, ClassVar

from apple.commands import base
from apple.commands.base import Availability, Command, Target

OBLITERATION = ("Default", "DoNotObliterate", "ObliterateWithWarning", "Always")
_DATA_PLAN_SINCE = {"iOS": (11,)}
_PROXIMITY_SINCE = {"iOS": (11, 3)}
_OBLITERATION_SINCE = {"macOS": (12,)}
_RETURN_SINCE = {"iOS": (17,)}
MAX_WIFI_PROFILE = 64 * 1024


class EraseDevice(Command):
    request_type = "EraseDevice"
    availability: ClassVar[Mapping[str, Availability]] = {
        "iOS": Availability(since=(4,)),
        "macOS": Availability(since=(10, 7)),
    }
    param_names = frozenset(
        {
            "preserve_data_plan",
            "disallow_proximity_setup",
            "obliteration_behavior",
            "return_to_service",
        }
    )
    public_params = param_names
    secret_names = frozenset({"pin", "wifi_profile"})
    never_not_now = frozenset({"iOS", "macOS"})
    # Nobody knows whether a silent device was erased: the order stands until it is taken back.
    deadline = 3650 * base.DAY

    def keys(
        self, target: Target, params: Mapping[str, Any], secrets: Mapping[str, Any]
    ) -> dict[str, Any]:
        behavior = params.get("obliteration_behavior", "Default")
        if behavior not in OBLITERATION:
            raise base.CommandError("obliteration_behavior is unknown")
        keys: dict[str, Any] = base.present({"PIN": base.pin(secrets, target=target)})
        if target.has(_DATA_PLAN_SINCE):
            keys["PreserveDataPlan"] = base.boolean(params, "preserve_data_plan", default=True)
        if target.has(_PROXIMITY_SINCE):
            proximity = base.boolean(params, "disallow_proximity_setup", default=False)
            keys["DisallowProximitySetup"] = proximity
        if target.has(_OBLITERATION_SINCE):
            keys["ObliterationBehavior"] = behavior
        if base.boolean(params, "return_to_service", default=False) and target.has(_RETURN_SINCE):
            keys["ReturnToService"] = {"Enabled": True} | base.present(
                {"WiFiProfileData": _wifi_profile(secrets)}
            )
        return keys


def _wifi_profile(secrets: Mapping[str, Any]) -> bytes | None:
    """Return the Wi-Fi profile that an erased device goes online with; it holds a password."""
    text = secrets.get("wifi_profile")
    if text is None:
        return None
    if not isinstance(text, str) or len(text) > MAX_WIFI_PROFILE * 4 // 3 + 4:
        raise base.CommandError("wifi_profile must be a profile of at most 64 KB in base64")
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise base.CommandError("wifi_profile is not base64") from None

"""EraseDevice: wipes a device. The answer, if one comes, comes before the erasing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from apple.commands import base
from apple.commands.base import Availability, Command, Target

OBLITERATION = ("Default", "DoNotObliterate", "ObliterateWithWarning", "Always")
_DATA_PLAN_SINCE = {"iOS": (11,)}
_PROXIMITY_SINCE = {"iOS": (11, 3)}
_OBLITERATION_SINCE = {"macOS": (12,)}


class EraseDevice(Command):
    request_type = "EraseDevice"
    availability: ClassVar[Mapping[str, Availability]] = {
        "iOS": Availability(since=(4,)),
        "macOS": Availability(since=(10, 7)),
    }
    param_names = frozenset(
        {"preserve_data_plan", "disallow_proximity_setup", "obliteration_behavior"}
    )
    public_params = param_names
    secret_names = frozenset({"pin"})
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
        return keys

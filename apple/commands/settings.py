"""Settings: changes single settings of a device; here its name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from apple.commands import base
from apple.commands.base import Availability, Command, Outcome, Target
from apple.protocol import results
from apple.protocol.results import DeviceError

NAME_LIMIT = 100
MAX_ITEMS = 50


class Settings(Command):
    """Each setting is answered for itself: an acknowledged command may have changed nothing."""

    request_type = "Settings"
    availability: ClassVar[Mapping[str, Availability]] = {
        "iOS": Availability(since=(5,), is_supervised=True),
        "macOS": Availability(since=(10, 10)),
    }
    param_names = frozenset({"device_name"})
    public_params = param_names
    deadline = 30 * base.DAY

    def keys(
        self, target: Target, params: Mapping[str, Any], secrets: Mapping[str, Any]
    ) -> dict[str, Any]:
        name = base.string(params, "device_name", limit=NAME_LIMIT, required=True)
        return {"Settings": [{"Item": "DeviceName", "DeviceName": name}]}

    def parse(self, body: Mapping[str, Any]) -> Outcome:
        return Outcome(refused=tuple(_refused(body.get("Settings"))))


def _refused(answered: object) -> Iterator[DeviceError]:
    # Apple's schema says one dictionary, devices send an array of them.
    items = [answered] if isinstance(answered, dict) else answered
    for item in items[:MAX_ITEMS] if isinstance(items, list) else []:
        if isinstance(item, dict) and item.get("Status") != "Acknowledged":
            chain = results.read_error_chain(item.get("ErrorChain"))
            yield from chain or (DeviceError("muster", 0, "the setting was not changed"),)

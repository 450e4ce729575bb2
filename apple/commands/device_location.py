"""DeviceLocation: asks a lost device where it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from apple.commands import base, reading
from apple.commands.base import Availability, Command, Outcome, Target

_READ = reading.record(
    {
        "Latitude": reading.real,
        "Longitude": reading.real,
        "HorizontalAccuracy": reading.real,
        "Altitude": reading.real,
        "Timestamp": reading.text,
    }
)


class DeviceLocation(Command):
    """Its answer is personal: it goes nowhere but into the sealed location of the device."""

    request_type = "DeviceLocation"
    availability: ClassVar[Mapping[str, Availability]] = {
        "iOS": Availability(since=(9, 3), is_supervised=True)
    }
    has_private_answer = True
    deadline = 7 * base.DAY

    def keys(
        self, target: Target, params: Mapping[str, Any], secrets: Mapping[str, Any]
    ) -> dict[str, Any]:
        return {}

    def parse(self, body: Mapping[str, Any]) -> Outcome:
        found = _READ(dict(body)) or {}
        latitude, longitude = found.get("Latitude"), found.get("Longitude")
        if latitude is None or longitude is None:
            return Outcome()
        if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
            return Outcome()
        return Outcome(location=found)

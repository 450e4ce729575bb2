"""ShutDownDevice: switches a device off; it comes back when somebody switches it on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from apple.commands import base
from apple.commands.base import Availability, Command, Target


class ShutDownDevice(Command):
    request_type = "ShutDownDevice"
    availability: ClassVar[Mapping[str, Availability]] = {
        "iOS": Availability(since=(10, 3), is_supervised=True),
        "macOS": Availability(since=(10, 13)),
    }
    never_not_now = frozenset({"macOS"})
    deadline = 7 * base.DAY

    def keys(
        self, target: Target, params: Mapping[str, Any], secrets: Mapping[str, Any]
    ) -> dict[str, Any]:
        return {}

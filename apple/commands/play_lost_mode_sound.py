"""PlayLostModeSound: makes a lost device ring, also when it is silent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from apple.commands import base
from apple.commands.base import Availability, Command, Target


class PlayLostModeSound(Command):
    request_type = "PlayLostModeSound"
    availability: ClassVar[Mapping[str, Availability]] = {
        "iOS": Availability(since=(10, 3), is_supervised=True),
    }
    deadline = 7 * base.DAY

    def keys(
        self, target: Target, params: Mapping[str, Any], secrets: Mapping[str, Any]
    ) -> dict[str, Any]:
        return {}

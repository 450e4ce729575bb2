"""RestartDevice: restarts a device; a Mac can ask the person who is at it first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from apple.commands import base
from apple.commands.base import Availability, Command, Target

_NOTIFY_SINCE = {"macOS": (11, 4)}


class RestartDevice(Command):
    request_type = "RestartDevice"
    availability: ClassVar[Mapping[str, Availability]] = {
        "iOS": Availability(since=(10, 3), is_supervised=True),
        "macOS": Availability(since=(10, 13)),
    }
    param_names = frozenset({"notify_user"})
    public_params = param_names
    never_not_now = frozenset({"macOS"})
    deadline = 7 * base.DAY

    def keys(
        self, target: Target, params: Mapping[str, Any], secrets: Mapping[str, Any]
    ) -> dict[str, Any]:
        is_asked = base.boolean(params, "notify_user", default=False)
        return {"NotifyUser": True} if is_asked and target.has(_NOTIFY_SINCE) else {}

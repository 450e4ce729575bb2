"""RemoveProfile: takes a managed profile away; naming the enrollment profile ends management."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from apple.commands import base
from apple.commands.base import DEVICE, USER, Availability, Command, Target


class RemoveProfile(Command):
    request_type = "RemoveProfile"
    availability: ClassVar[Mapping[str, Availability]] = {
        "iOS": Availability(since=(4,)),
        "macOS": Availability(since=(10, 7), channels=frozenset({DEVICE, USER})),
    }
    param_names = frozenset({"identifier"})
    public_params = param_names
    deadline = 30 * base.DAY

    def keys(
        self, target: Target, params: Mapping[str, Any], secrets: Mapping[str, Any]
    ) -> dict[str, Any]:
        return {"Identifier": base.string(params, "identifier", limit=255, required=True)}

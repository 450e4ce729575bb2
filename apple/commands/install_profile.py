"""InstallProfile: puts a configuration profile on a device, or replaces one."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any, ClassVar

from apple.commands import base
from apple.commands.base import DEVICE, USER, Availability, Command, Target

MAX_PROFILE = 8 * 1024 * 1024


class InstallProfile(Command):
    """The secret `payload` is the profile in base64: profiles hold challenges and passwords.

    `identifier` and `name` describe it for the history and stay here.
    """

    request_type = "InstallProfile"
    availability: ClassVar[Mapping[str, Availability]] = {
        "iOS": Availability(since=(4,), channels=frozenset({DEVICE})),
        "macOS": Availability(since=(10, 7), channels=frozenset({DEVICE, USER})),
    }
    param_names = frozenset({"identifier", "name"})
    public_params = param_names
    secret_names = frozenset({"payload"})
    deadline = 30 * base.DAY

    def keys(
        self, target: Target, params: Mapping[str, Any], secrets: Mapping[str, Any]
    ) -> dict[str, Any]:
        payload = secrets.get("payload")
        if not isinstance(payload, str) or not payload or len(payload) > MAX_PROFILE * 4 // 3 + 4:
            raise base.CommandError("payload must be a profile of at most 8 MB in base64")
        try:
            return {"Payload": base64.b64decode(payload, validate=True)}
        except (binascii.Error, ValueError):
            raise base.CommandError("payload is not base64") from None

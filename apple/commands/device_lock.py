"""DeviceLock: locks the screen of a phone at once; locks a Mac behind a PIN."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from apple.commands import base
from apple.commands.base import Availability, Command, Outcome, Target
from apple.protocol import fields

MESSAGE_LIMIT = 500
PHONE_LIMIT = 40
_MESSAGE_SINCE = {"iOS": (7,), "macOS": (10, 14)}
_PHONE_SINCE = {"iOS": (7,), "macOS": (11, 5)}


class DeviceLock(Command):
    request_type = "DeviceLock"
    availability: ClassVar[Mapping[str, Availability]] = {
        "iOS": Availability(since=(4,)),
        "macOS": Availability(since=(10, 7)),
    }
    param_names = frozenset({"message", "phone_number"})
    public_params = param_names
    secret_names = frozenset({"pin"})
    never_not_now = frozenset({"iOS", "macOS"})
    deadline = 7 * base.DAY

    def keys(
        self, target: Target, params: Mapping[str, Any], secrets: Mapping[str, Any]
    ) -> dict[str, Any]:
        message = base.string(params, "message", limit=MESSAGE_LIMIT)
        phone = base.string(params, "phone_number", limit=PHONE_LIMIT)
        return base.present(
            {
                "PIN": base.pin(secrets, target=target),
                "Message": message if target.has(_MESSAGE_SINCE) else None,
                "PhoneNumber": phone if target.has(_PHONE_SINCE) else None,
            }
        )

    def parse(self, body: Mapping[str, Any]) -> Outcome:
        result = fields.to_text(body.get("MessageResult"), 64)
        return Outcome(detail={"message_result": result} if result else {})

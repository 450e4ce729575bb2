"""EnableLostMode: locks a supervised device behind a message until we take it back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from apple.commands import base
from apple.commands.base import Availability, Command, Target

MESSAGE_LIMIT = 500
PHONE_LIMIT = 40
FOOTNOTE_LIMIT = 200


class EnableLostMode(Command):
    """The screen needs a message or a phone number, or nobody could give the device back."""

    request_type = "EnableLostMode"
    availability: ClassVar[Mapping[str, Availability]] = {
        "iOS": Availability(since=(9, 3), is_supervised=True)
    }
    param_names = frozenset({"message", "phone_number", "footnote"})
    public_params = param_names
    deadline = 30 * base.DAY

    def keys(
        self, target: Target, params: Mapping[str, Any], secrets: Mapping[str, Any]
    ) -> dict[str, Any]:
        keys = base.present(
            {
                "Message": base.string(params, "message", limit=MESSAGE_LIMIT),
                "PhoneNumber": base.string(params, "phone_number", limit=PHONE_LIMIT),
                "Footnote": base.string(params, "footnote", limit=FOOTNOTE_LIMIT),
            }
        )
        if not keys.keys() & {"Message", "PhoneNumber"}:
            raise base.CommandError("message or phone_number is missing")
        return keys

"""ClearPasscode: takes the passcode off a phone, with the token that it once gave us."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any, ClassVar

from apple.commands import base
from apple.commands.base import Availability, Command, Target


class ClearPasscode(Command):
    """The secret `unlock_token`, in base64, is added when the command is handed out: a device may
    send a new one while the command waits."""

    request_type = "ClearPasscode"
    availability: ClassVar[Mapping[str, Availability]] = {"iOS": Availability(since=(4,))}
    secret_names = frozenset({"unlock_token"})
    never_not_now = frozenset({"iOS"})
    deadline = 7 * base.DAY

    def keys(
        self, target: Target, params: Mapping[str, Any], secrets: Mapping[str, Any]
    ) -> dict[str, Any]:
        token = secrets.get("unlock_token")
        if not isinstance(token, str) or not token:
            raise base.CommandError("the device never gave a token to unlock it with")
        try:
            return {"UnlockToken": base64.b64decode(token, validate=True)}
        except (binascii.Error, ValueError):
            raise base.CommandError("unlock_token is not base64") from None

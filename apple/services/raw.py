"""Commands and answers as property lists for people to read, without the secrets in them."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping
from typing import Any

from apple.commands.base import CommandError
from apple.commands.registry import get
from apple.protocol import plist
from apple.services import lines
from devices.models import Command, CommandRank
from devices.states import CommandStatus

HIDDEN = "(not shown)"
# Long lists of apps are in the inventory already.
MAX_ANSWER = 256 * 1024
SECRETS = frozenset(
    {
        "PIN",
        "Password",
        "NewPassword",
        "CurrentPassword",
        "UnlockToken",
        "BootstrapToken",
        "Token",
        "PushMagic",
        "PushToken",
        "Challenge",
        "Payload",
        "WiFiProfileData",
        "MDMProfileData",
        "FDE_PersonalRecoveryKeyCMS",
        "FDE_PersonalRecoveryKeyDeviceKey",
        "ActivationLockBypassCode",
        "Latitude",
        "Longitude",
    }
)
_STAND_INS = {"pin": "000000"}
_STAND_IN = base64.b64encode(b"secret").decode()


def request_text(command: Command) -> str:
    """Return a command as the device gets it; secrets are gone from the queue, and from here."""
    try:
        known = get(command.kind)
        target = lines.target_of(command.device, command.channel)
        wanted = known.secret_names - {"wifi_profile"} - (set() if target.is_mac else {"pin"})
        stand_ins = {name: _STAND_INS.get(name, _STAND_IN) for name in wanted}
        body = known.build(target, command.params, stand_ins)
    except CommandError as error:
        return str(error)
    return _text({"CommandUUID": command.wire_uuid, "Command": hidden(body)})


def answer_text(command: Command) -> str:
    """Return the kept answer of a command, or nothing."""
    packed = bytes(command.answer)
    return zlib.decompress(packed).decode() if packed else ""


def pack(command: Command, body: Mapping[str, Any]) -> bytes:
    """Return what to keep of an answer: nothing of one that is private, routine or very long."""
    if _is_private(command.kind):
        return b""
    if command.rank == CommandRank.BACKGROUND and command.status != CommandStatus.ERROR:
        return b""
    try:
        text = _text(hidden(dict(body))).encode()
    except (OverflowError, TypeError, ValueError):
        # What can be read need not be writable: numbers of any length, for example.
        return b""
    return zlib.compress(text) if len(text) <= MAX_ANSWER else b""


def hidden(value: Any) -> Any:
    """Return a property list with a note in the place of everything secret or binary."""
    if isinstance(value, dict):
        return {key: HIDDEN if key in SECRETS else hidden(item) for key, item in value.items()}
    if isinstance(value, list):
        return [hidden(item) for item in value]
    return HIDDEN if isinstance(value, bytes) else value


def _is_private(kind: str) -> bool:
    try:
        return get(kind).has_private_answer
    except CommandError:
        return True


def _text(body: dict[str, Any]) -> str:
    return plist.write(body).decode()

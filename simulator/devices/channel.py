"""One MDM channel of a device and its conversation with the server until nothing is left to do."""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .. import behaviours
from ..errors import CommandError, SimulatorError

if TYPE_CHECKING:
    from .device import Device

MAX_EXCHANGES = 500  # a server that never ends the connection is broken


class EndlessConversation(RuntimeError):
    """The server kept handing out commands."""


@dataclass
class Channel:
    """The device itself (no `user_id`) or a managed Mac user; each has its own token and magic."""

    user_id: str = ""
    short_name: str = ""
    long_name: str = ""
    token: bytes = field(default_factory=lambda: os.urandom(32))
    magic: str = field(default_factory=lambda: str(uuid.uuid4()).upper())
    unsent: dict[str, Any] | None = None  # a result that no 2xx has confirmed yet
    wants_retry: bool = False  # NotNow was the last status: the device comes back by itself

    @property
    def name(self) -> str:
        return self.user_id or "device"

    def keys(self) -> dict[str, Any]:
        if not self.user_id:
            return {}
        names = {"UserShortName": self.short_name, "UserLongName": self.long_name}
        return {"UserID": self.user_id, **names}

    def renew_token(self) -> None:
        self.token, self.magic = os.urandom(32), str(uuid.uuid4()).upper()


def converse(device: Device, channel: Channel) -> int:
    """Send what is unsent (else Idle), obey until the server is content; returns commands executed.

    A result is kept and sent again until a 2xx confirms it, as real devices do.
    """
    executed = 0
    for _ in range(MAX_EXCHANGES):
        message = channel.unsent or _message(device, channel, {"Status": "Idle"})
        command = device.client.connect(message)
        channel.wants_retry = message["Status"] == "NotNow"
        channel.unsent = None
        device.run_deferred()
        if command is None or not device.is_managed:
            return executed
        device.ledger.delivered(device.udid, channel.name, command)
        behaviour = device.script.take(command["Command"]["RequestType"])
        if behaviour is not None and behaviour.kind == behaviours.HANG_UP:
            return executed
        result = _execute(device, channel, command, behaviour)
        device.ledger.executed(device.udid, channel.name, command, result["Status"])
        executed += int(result["Status"] != "NotNow")
        channel.unsent = _message(device, channel, result)
        if behaviour is not None and behaviour.kind == behaviours.REPEAT:
            device.client.connect(channel.unsent)
        if device.answers_once:
            _answer_once(device, channel)
            return executed
    raise EndlessConversation(
        f"{device.udid}: more than {MAX_EXCHANGES} commands in one connection"
    )


def _answer_once(device: Device, channel: Channel) -> None:
    """An erased device sends its result a single time and is gone, heard or not."""
    message, channel.unsent = channel.unsent, None
    with contextlib.suppress(SimulatorError):
        if message is not None:
            device.client.connect(message, once=True)
    device.run_deferred()


def _message(device: Device, channel: Channel, body: dict[str, Any]) -> dict[str, Any]:
    return {"UDID": device.udid, **channel.keys(), **body}


def _execute(
    device: Device,
    channel: Channel,
    command: dict[str, Any],
    behaviour: behaviours.Behaviour | None,
) -> dict[str, Any]:
    result: dict[str, Any] = {"CommandUUID": command["CommandUUID"]}
    kind = behaviour.kind if behaviour else ""
    if kind == behaviours.NOT_NOW:
        return {**result, "Status": "NotNow"}
    if kind == behaviours.FORMAT_ERROR:
        return {**result, "Status": "CommandFormatError"}
    try:
        if behaviour is not None and kind == behaviours.ERROR:
            raise CommandError(behaviour.code, "MCMDMErrorDomain", "Refused by the simulation.")
        answer = _answer_for(device, channel, command["Command"])
        return {**result, "Status": "Acknowledged", **answer(device, channel, command["Command"])}
    except CommandError as error:
        return {**result, "Status": "Error", "ErrorChain": error.chain()}


def _answer_for(
    device: Device, channel: Channel, command: dict[str, Any]
) -> Callable[[Device, Channel, dict[str, Any]], dict[str, Any]]:
    kind = command["RequestType"]
    answer = device.answers.get(kind)
    if answer is None or (channel.user_id and kind not in device.user_commands):
        raise CommandError(12021, "MCMDMErrorDomain", f"{kind} is not a valid request type.")
    return answer

"""The registry of channel kinds: each protocol above registers how it talks to its devices."""

from __future__ import annotations

from typing import Any, Protocol

from core.actors import Actor
from devices.errors import NotSupported
from devices.models import Channel, Command, Device


class ChannelBackend(Protocol):
    """What a protocol must be able to do. Every method runs in the caller's transaction and only
    queues: nothing is sent before the commit."""

    def wake(self, channel: Channel) -> None:
        """Ask the device to come and fetch its commands."""

    def actions(self, device: Device) -> frozenset[str]:
        """Return the keys of the actions that this device could carry out now."""

    def request(
        self, device: Device, action: str, *, actor: Actor, params: dict[str, Any], reason: str
    ) -> Command:
        """Queue an action that has no method of its own; `params` are the registry's."""

    def check_in(self, device: Device, *, actor: Actor) -> None:
        """Ask for contact and fresh inventory."""

    def needs_pin(self, device: Device) -> bool:
        """Say whether lock and wipe need a PIN that must be kept (Macs)."""

    def request_text(self, command: Command) -> str:
        """Return the command as it was sent, readable, without its secrets."""

    def answer_text(self, command: Command) -> str:
        """Return the answer as it came, readable, without secrets; "" when none was kept."""

    def lock(
        self, device: Device, *, actor: Actor, pin: str, message: str, phone: str, reason: str
    ) -> Command: ...

    def retire(self, device: Device, *, actor: Actor, reason: str) -> Command: ...

    def wipe(
        self, device: Device, *, actor: Actor, pin: str, options: dict[str, Any], reason: str
    ) -> Command: ...


_backends: dict[str, ChannelBackend] = {}


def register(kind: str, backend: ChannelBackend) -> None:
    """Let `backend` serve devices whose `channel_kind` is `kind`; called in `AppConfig.ready()`."""
    _backends[kind] = backend


def backend_of(kind: str) -> ChannelBackend:
    """Return the backend of a kind. Raises NotSupported for one that nobody registered."""
    try:
        return _backends[kind]
    except KeyError:
        raise NotSupported from None

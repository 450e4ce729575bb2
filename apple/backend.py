"""How devices are asked for things over Apple's protocol; registered with the floor below."""

from __future__ import annotations

from typing import Any

from apple.commands.base import CommandError
from apple.commands.registry import get
from apple.errors import CommandRefused
from apple.profile import identifier
from apple.services import inventory, lines, orders, push, raw, requests
from apple.services.late_secrets import secrets_of
from core.actors import Actor
from devices import channels, handlers
from devices.models import Channel, Command, CommandRank, Device, Platform
from devices.services import commands, lifecycle

_ACTIONS = frozenset({"check_in", "lock", "retire", "wipe"})
_PHONE_OPTIONS = ("preserve_data_plan", "disallow_proximity_setup", "return_to_service")
_WIPE_SECRETS = ("wifi_profile",)
_WIPE_OPTIONS = {
    Platform.IPHONE: _PHONE_OPTIONS,
    Platform.IPAD: _PHONE_OPTIONS,
    Platform.MAC: ("obliteration_behavior",),
}


class AppleBackend:
    """Implements `devices.channels.ChannelBackend`."""

    def wake(self, channel: Channel) -> None:
        push.wake(channel)

    def actions(self, device: Device) -> frozenset[str]:
        if device.platform not in _WIPE_OPTIONS:
            return frozenset()
        return _ACTIONS | requests.fitting(device)

    def needs_pin(self, device: Device) -> bool:
        return device.platform == Platform.MAC

    def check_in(self, device: Device, *, actor: Actor) -> None:
        inventory.request(device=device, actor=actor)

    def request(
        self, device: Device, action: str, *, actor: Actor, params: dict[str, Any], reason: str
    ) -> Command:
        request = requests.REQUESTS[action]
        return self._order(
            device,
            request.kind,
            actor=actor,
            params=request.params(params),
            late=secrets_of(device, request.kind),
            reason=reason,
            desired_key=action if request.is_once else "",
            rank=CommandRank.NORMAL,
        )

    def request_text(self, command: Command) -> str:
        return raw.request_text(command)

    def answer_text(self, command: Command) -> str:
        return raw.answer_text(command)

    def lock(
        self, device: Device, *, actor: Actor, pin: str, message: str, phone: str, reason: str
    ) -> Command:
        params = {"message": message, "phone_number": phone}
        return self._order(
            device,
            "DeviceLock",
            actor=actor,
            params={name: value for name, value in params.items() if value},
            pin=pin,
            reason=reason,
            desired_key=orders.LOCK_KEY,
            rank=CommandRank.NORMAL,
        )

    def retire(self, device: Device, *, actor: Actor, reason: str) -> Command:
        apple = getattr(device, "apple", None)
        name = (apple and apple.profile_identifier) or identifier(device.tenant_id)
        return self._order(
            device,
            "RemoveProfile",
            actor=actor,
            params={"identifier": name},
            reason=reason,
            desired_key=orders.RETIRE_KEY,
        )

    def wipe(
        self, device: Device, *, actor: Actor, pin: str, options: dict[str, Any], reason: str
    ) -> Command:
        known = _WIPE_OPTIONS[Platform(device.platform)]
        return self._order(
            device,
            "EraseDevice",
            actor=actor,
            params={name: options[name] for name in known if name in options},
            secrets={name: options[name] for name in _WIPE_SECRETS if options.get(name)},
            pin=pin,
            reason=reason,
            desired_key=orders.WIPE_KEY,
        )

    def _order(
        self,
        device: Device,
        kind: str,
        *,
        actor: Actor,
        params: dict[str, Any],
        reason: str,
        desired_key: str,
        pin: str = "",
        secrets: dict[str, Any] | None = None,
        late: dict[str, Any] | None = None,
        rank: int = CommandRank.ORDER,
    ) -> Command:
        """`late` secrets are not queued: they are read again when the command is handed out."""
        command, channel = get(kind), lifecycle.device_channel(device)
        secrets = (secrets or {}) | ({"pin": pin} if pin else {})
        try:
            command.build(lines.target_of(device, channel), params, secrets | (late or {}))
        except CommandError as error:
            # Here somebody can still do something about it; at delivery it is judged again.
            raise CommandRefused from error
        return commands.enqueue(
            channel=channel,
            kind=kind,
            actor=actor,
            params=params,
            secret_params=secrets,
            reason=reason,
            deadline=command.deadline,
            desired_key=desired_key,
            rank=rank,
        )


def register() -> None:
    channels.register(lines.KIND, AppleBackend())
    for kind, handler in orders.HANDLERS.items():
        handlers.register(kind, handler)

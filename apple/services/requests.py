"""Which of Apple's commands carries which action, and which device could do it now."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from apple.commands.base import CommandError, Target
from apple.commands.registry import get
from apple.services import lines
from devices.models import Device


def _always(device: Device) -> bool:
    return True


def _is_lost(device: Device) -> bool:
    return device.lost_since is not None


def _is_not_lost(device: Device) -> bool:
    return device.lost_since is None


def _has_unlock_token(device: Device) -> bool:
    apple = getattr(device, "apple", None)
    return bool(apple and apple.sealed_unlock_token)


@dataclass(frozen=True, slots=True)
class Request:
    """`names` says what a parameter of the action is called in the command."""

    kind: str
    fits: Callable[[Device], bool] = _always
    names: Mapping[str, str] = field(default_factory=dict)
    # While one is open a second one says nothing new.
    is_once: bool = True

    def params(self, given: Mapping[str, Any]) -> dict[str, Any]:
        return {self.names.get(name, name): value for name, value in given.items()}


REQUESTS: Mapping[str, Request] = {
    "clear_passcode": Request("ClearPasscode", _has_unlock_token),
    "restart": Request("RestartDevice"),
    "shut_down": Request("ShutDownDevice"),
    "rename": Request("Settings", names={"name": "device_name"}, is_once=False),
    "lost_mode": Request("EnableLostMode", _is_not_lost, {"phone": "phone_number"}),
    "lost_mode_off": Request("DisableLostMode", _is_lost),
    "locate": Request("DeviceLocation", _is_lost),
    "play_sound": Request("PlayLostModeSound", _is_lost),
}


def fitting(device: Device) -> frozenset[str]:
    """Return the actions of the table that a device could carry out; one query for a phone."""
    target = lines.target_of_device(device)
    return frozenset(
        action
        for action, request in REQUESTS.items()
        if _knows(target, request.kind) and request.fits(device)
    )


def _knows(target: Target, kind: str) -> bool:
    command = get(kind)
    where = command.availability.get(target.platform.system)
    # Not yet known is not enough here: what the device would refuse is not offered.
    if where is not None and where.is_supervised and not target.is_supervised:
        return False
    try:
        command.check_target(target)
    except CommandError:
        return False
    return True

"""What an administrator asks of a device that leaves its state alone."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from core import history
from core.actors import Actor
from devices import channels
from devices.errors import NameMissing, NotSupported
from devices.models import Command, Device
from devices.services import lifecycle, pins
from devices.states import MANAGED

MAX_MESSAGE = 250
MAX_PHONE = 40
MAX_NAME = 100


@transaction.atomic
def check_in(*, device: Device, actor: Actor) -> None:
    """Ask a managed device to contact us and to tell about itself. Raises NotSupported."""
    backend = _backend(device, "check_in")
    backend.check_in(device, actor=actor)
    history.record(device, "devices.check_in.requested", actor=actor)


@transaction.atomic
def lock(
    *, device: Device, actor: Actor, message: str = "", phone: str = "", reason: str = ""
) -> Command:
    """Lock the screen; on a Mac with a PIN that is kept sealed. Raises NotSupported."""
    backend = _backend(device, "lock")
    device = lifecycle.locked(device.pk)
    pin = pins.keep_pin(device) if backend.needs_pin(device) else ""
    command = backend.lock(
        device,
        actor=actor,
        pin=pin,
        message=message.strip()[:MAX_MESSAGE],
        phone=phone.strip()[:MAX_PHONE],
        reason=reason,
    )
    history.record(
        device, "devices.lock.requested", actor=actor, data={"reason": reason} if reason else {}
    )
    return command


@transaction.atomic
def clear_passcode(*, device: Device, actor: Actor, reason: str = "") -> Command:
    """Take the passcode off a phone whose person forgot it. Raises NotSupported."""
    command = request(device, "clear_passcode", actor, reason)
    record(device, "devices.clear_passcode.requested", actor, reason)
    return command


@transaction.atomic
def restart(
    *, device: Device, actor: Actor, notify_user: bool = False, reason: str = ""
) -> Command:
    """Restart a device; `notify_user` lets the person at a Mac save first. Raises NotSupported."""
    params = {"notify_user": True} if notify_user else {}
    command = request(device, "restart", actor, reason, params)
    record(device, "devices.restart.requested", actor, reason)
    return command


@transaction.atomic
def shut_down(*, device: Device, actor: Actor, reason: str = "") -> Command:
    """Switch a device off; somebody must switch it on by hand. Raises NotSupported."""
    command = request(device, "shut_down", actor, reason)
    record(device, "devices.shut_down.requested", actor, reason)
    return command


@transaction.atomic
def rename(*, device: Device, actor: Actor, name: str, reason: str = "") -> Command:
    """Give a device another name, on the device itself. Raises NameMissing, NotSupported."""
    name = " ".join(name.split())[:MAX_NAME]
    if not name:
        raise NameMissing
    command = request(device, "rename", actor, reason, {"name": name})
    record(device, "devices.rename.requested", actor, reason, name=[device.name, name])
    return command


def request(
    device: Device, action: str, actor: Actor, reason: str, params: dict[str, Any] | None = None
) -> Command:
    # Under the lock: a device that ends in this moment is given nothing more.
    device = lifecycle.locked(device.pk)
    backend = _backend(device, action)
    return backend.request(device, action, actor=actor, params=params or {}, reason=reason)


def record(device: Device, action: str, actor: Actor, reason: str, **data: Any) -> None:
    history.record(device, action, actor=actor, data=data | ({"reason": reason} if reason else {}))


def _backend(device: Device, action: str) -> channels.ChannelBackend:
    backend = channels.backend_of(device.channel_kind)
    is_managed = device.archived_at is None and device.state in MANAGED
    if not is_managed or action not in backend.actions(device):
        raise NotSupported
    return backend

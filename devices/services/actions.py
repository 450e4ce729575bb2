"""What an administrator asks of a device that leaves its state alone."""

from __future__ import annotations

from django.db import transaction

from core import history
from core.actors import Actor
from devices import channels
from devices.errors import NotSupported
from devices.models import Command, Device
from devices.services import lifecycle, pins
from devices.states import MANAGED

MAX_MESSAGE = 250
MAX_PHONE = 40


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


def _backend(device: Device, action: str) -> channels.ChannelBackend:
    backend = channels.backend_of(device.channel_kind)
    is_managed = device.archived_at is None and device.state in MANAGED
    if not is_managed or action not in backend.actions(device):
        raise NotSupported
    return backend

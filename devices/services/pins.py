"""The PIN that a Mac is locked or wiped with: made, sealed, revealed with an audit trail."""

from __future__ import annotations

import secrets as random

from django.db import transaction

from core import clock, history, secrets
from core.actors import Actor
from devices.models import Device


def keep_pin(device: Device) -> str:
    """Return the PIN to send: the one already sent if there is one, since the last effective one
    would otherwise be unknown; else a new one, stored before anything is sent."""
    if device.sealed_pin:
        return _open(device)
    pin = f"{random.randbelow(10**6):06d}"
    device.sealed_pin = secrets.seal(pin.encode(), context=f"device_pin:{device.pk}")
    device.pin_set_at = clock.now()
    device.save(update_fields=["sealed_pin", "pin_set_at"])
    return pin


@transaction.atomic
def reveal_pin(*, device: Device, actor: Actor) -> str | None:
    """Return the PIN for somebody who may see it, and write that it was seen."""
    if not device.sealed_pin:
        return None
    history.record(device, "devices.pin.revealed", actor=actor)
    return _open(device)


def _open(device: Device) -> str:
    return secrets.unseal(device.sealed_pin, context=f"device_pin:{device.pk}").decode()

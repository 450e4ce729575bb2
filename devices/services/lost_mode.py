"""Lost mode: on and off, and where a lost device is.

The place is somebody's personal data: sealed, shown with a permission of its own, each look written
down, forgotten when the lost mode ends.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from core import clock, history, secrets
from core.actors import Actor
from devices.errors import LostTextMissing, NotLost
from devices.models import Command, Device
from devices.services import actions, lifecycle


@dataclass(frozen=True, slots=True)
class Place:
    """Degrees north and east, metres of uncertainty, and when the device was there."""

    latitude: float
    longitude: float
    accuracy: float | None
    at: datetime


@transaction.atomic
def turn_on(
    *,
    device: Device,
    actor: Actor,
    message: str = "",
    phone: str = "",
    footnote: str = "",
    reason: str = "",
) -> Command:
    """Lock a lost device behind a message. Raises LostTextMissing, NotSupported."""
    texts = {"message": message.strip(), "phone": phone.strip(), "footnote": footnote.strip()}
    if not (texts["message"] or texts["phone"]):
        raise LostTextMissing
    params = {name: text for name, text in texts.items() if text}
    command = actions.request(device, "lost_mode", actor, reason, params)
    actions.record(device, "devices.lost_mode.requested", actor, reason)
    return command


@transaction.atomic
def turn_off(*, device: Device, actor: Actor, reason: str = "") -> Command:
    """Give a found device back; its place is forgotten when it obeys. Raises NotSupported."""
    command = actions.request(device, "lost_mode_off", actor, reason)
    actions.record(device, "devices.lost_mode.ending", actor, reason)
    return command


@transaction.atomic
def locate(*, device: Device, actor: Actor, reason: str = "") -> Command:
    """Ask a lost device where it is. Raises NotSupported."""
    command = actions.request(device, "locate", actor, reason)
    actions.record(device, "devices.location.requested", actor, reason)
    return command


@transaction.atomic
def play_sound(*, device: Device, actor: Actor, reason: str = "") -> Command:
    """Make a lost device ring. Raises NotSupported."""
    command = actions.request(device, "play_sound", actor, reason)
    actions.record(device, "devices.sound.requested", actor, reason)
    return command


@transaction.atomic
def begin(*, device: Device, actor: Actor, asked_by: Mapping[str, Any]) -> None:
    """The device told that it is in lost mode; `asked_by` is who ordered it, if anybody."""
    device = lifecycle.locked(device.pk)
    if device.lost_since is not None or not device.is_managed:
        return
    device.lost_since, device.lost_by = clock.now(), dict(asked_by)
    device.save(update_fields=["lost_since", "lost_by"])
    history.record(device, "devices.lost_mode.started", actor=actor)


@transaction.atomic
def end(*, device: Device, actor: Actor) -> None:
    """The device told that it is in lost mode no more: what is known of its place is forgotten."""
    device = lifecycle.locked(device.pk)
    if device.lost_since is None:
        return
    device.save(update_fields=device.forget_lost_mode())
    history.record(device, "devices.lost_mode.ended", actor=actor)


@transaction.atomic
def keep_place(
    *, device: Device, latitude: float, longitude: float, accuracy: float | None
) -> None:
    """Keep where a lost device is; an answer that comes after the end is dropped."""
    device = lifecycle.locked(device.pk)
    if device.lost_since is None or not device.is_managed:
        return
    text = json.dumps([latitude, longitude, accuracy])
    device.sealed_location = secrets.seal(text.encode(), context=f"location:{device.pk}")
    device.located_at = clock.now()
    device.save(update_fields=["sealed_location", "located_at"])
    history.record(device, "devices.location.received", actor=device.actor)


@transaction.atomic
def reveal_place(*, device: Device, actor: Actor) -> Place | None:
    """Return where a lost device said it was, and write that it was looked at; None before the
    first answer. Raises NotLost."""
    device = lifecycle.locked(device.pk)
    if device.lost_since is None:
        raise NotLost
    if device.located_at is None:
        return None
    history.record(device, "devices.location.viewed", actor=actor)
    opened = secrets.unseal(device.sealed_location, context=f"location:{device.pk}")
    latitude, longitude, accuracy = json.loads(opened)
    return Place(latitude, longitude, accuracy, device.located_at)

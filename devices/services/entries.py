"""Device entries and their epochs: one entry per enrollment, one current entry per device."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.db import transaction

from accounts.models import User
from core import clock, history
from core.actors import Actor
from core.models import Tenant
from devices.errors import DeviceLimitReached
from devices.models import Channel, Device, DeviceContact, Ownership, PhysicalDevice
from devices.services import commands, grouped, lifecycle
from devices.states import MANAGED, DeviceState

S = DeviceState


@dataclass(frozen=True)
class Facts:
    """What a device claims about itself when it enrolls; claims, never keys."""

    name: str = ""
    serial: str = ""
    model: str = ""
    model_name: str = ""
    os_version: str = ""
    build: str = ""


@transaction.atomic
def open_entry(
    *,
    tenant: Tenant,
    key: str,
    platform: str,
    channel_kind: str,
    user: User | None,
    session_id: uuid.UUID,
    facts: Facts,
    device_limit: int | None,
    actor: Actor | None = None,
    ownership: str = Ownership.NOT_SET,
) -> Device:
    """Begin a new epoch of a physical device and return its new entry, in state enrolling.

    The current entry, if any, is archived with its history: its queue is cancelled, a pending
    wipe is dropped, an active one becomes Reset. Raises DeviceLimitReached for a person who has
    enough other devices. Whose device it is stays known when the same person enrolls it again
    without saying so, and so are its attributes and manual groups. The physical device's row is
    the lock.
    """
    physical, _created = PhysicalDevice.objects.get_or_create(
        tenant=tenant, key=key, defaults={"serial": facts.serial[:64]}
    )
    physical = PhysicalDevice.objects.select_for_update().get(pk=physical.pk)
    previous = physical.entries.current().select_for_update(of=("self",)).first()
    if user is not None and device_limit is not None:
        _check_limit(user, device_limit, but=previous)
    newest = physical.entries.order_by("-epoch").values_list("epoch", flat=True).first() or 0
    actor = actor or Actor("device", key, facts.name or facts.serial or key)
    if previous is not None:
        archive(previous, actor=actor)
    device = Device.objects.create(
        tenant=tenant,
        physical=physical,
        user=user,
        ownership=_ownership(ownership, user, previous),
        platform=platform,
        channel_kind=channel_kind,
        epoch=newest + 1,
        session_id=session_id,
        name=facts.name[:200],
        serial=facts.serial[:64],
        model=facts.model[:80],
        model_name=facts.model_name[:120],
        os_version=facts.os_version[:40],
        build=facts.build[:40],
    )
    if facts.serial and physical.serial != facts.serial[:64]:
        PhysicalDevice.objects.filter(pk=physical.pk).update(serial=facts.serial[:64])
    Channel.objects.create(device=device, kind=channel_kind)
    DeviceContact.objects.create(device=device, last_seen_at=clock.now())
    history.record(
        device,
        "devices.device.re_enrolled" if previous else "devices.device.enrolling",
        actor=actor,
        data={"epoch": device.epoch, "person": user.email if user else None},
    )
    if previous is not None:
        _succeed(previous, device)
    return device


def _succeed(previous: Device, device: Device) -> None:
    Device.objects.filter(pk=previous.pk).update(superseded_by=device)
    if device.user_id is not None and previous.user_id == device.user_id:
        grouped.carry_over(previous=previous, device=device)


def _ownership(said: str, user: User | None, previous: Device | None) -> str:
    if said != Ownership.NOT_SET or previous is None or user is None:
        return said
    return previous.ownership if previous.user_id == user.pk else said


def archive(device: Device, *, actor: Actor) -> None:
    """Set a predecessor aside: cancel its queue, and say in its history what became of it."""
    if device.state in (S.ENROLLING,):
        lifecycle.transition(device_id=device.pk, to=S.ABANDONED, actor=actor)
    elif device.state in MANAGED:
        lifecycle.transition(device_id=device.pk, to=S.RESET, actor=actor)
    else:
        commands.cancel_all(device, actor=actor)
    now = clock.now()
    Device.objects.filter(pk=device.pk).update(
        archived_at=now, inventory_due_at=None, groups_due_at=now
    )
    history.record(device, "devices.device.archived", actor=actor)


def _check_limit(user: User, limit: int, *, but: Device | None) -> None:
    # The person's row is the lock: two devices at once must not both be the last allowed one.
    User.objects.select_for_update().get(pk=user.pk)
    others = Device.objects.counted_for_limit().filter(user=user)
    if but is not None:
        others = others.exclude(pk=but.pk)
    if others.count() >= limit:
        raise DeviceLimitReached

"""Device entries and their epochs: one entry per enrollment, one current entry per device."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from django.db import transaction

from accounts.models import User
from core import clock, history
from core.actors import Actor
from core.models import Tenant
from devices.errors import DeviceLimitReached
from devices.models import Channel, Device, DeviceContact, Ownership, PhysicalDevice
from devices.reenrollment import ORDERS_WERE_LEFT, end_of
from devices.services import commands, grouped, lifecycle


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
    ends: Mapping[str, str] = ORDERS_WERE_LEFT,
) -> Device:
    """Begin a new epoch of a physical device and return its new entry, in state enrolling.

    The current entry, if any, is archived with its history: its queue is cancelled, a pending
    wipe is dropped, and `ends` says what an active one becomes. When the same person enrolls it
    again, whose device it is stays known, and so do attributes and manual groups. The physical
    device's row is the lock. Raises DeviceLimitReached for a person who has enough other devices.
    """
    physical, _created = PhysicalDevice.objects.get_or_create(
        tenant=tenant, key=key, defaults={"serial": facts.serial[:64]}
    )
    physical = PhysicalDevice.objects.select_for_update().get(pk=physical.pk)
    previous = physical.entries.current().select_for_update(of=("self",)).first()
    if user is not None and device_limit is not None:
        check_limit(user, device_limit, but=previous)
    newest = physical.entries.order_by("-epoch").values_list("epoch", flat=True).first() or 0
    actor = actor or Actor("device", key, facts.name or facts.serial or key)
    if previous is not None:
        archive(previous, actor=actor, ends=ends)
    device = Device.objects.create(
        tenant=tenant,
        physical=physical,
        user=user,
        ownership=_ownership(ownership, user, previous),
        platform=platform,
        channel_kind=channel_kind,
        epoch=newest + 1,
        session_id=session_id,
        **limited(facts),
    )
    _learn_serial(physical, facts.serial[:64])
    Channel.objects.create(device=device, kind=channel_kind)
    DeviceContact.objects.create(device=device, last_seen_at=clock.now())
    history.record(
        device,
        "devices.device.re_enrolled" if previous else "devices.device.enrolling",
        actor=actor,
        data={"epoch": device.epoch, "person": user.email if user else None},
    )
    if previous is not None:
        succeed(previous, device)
    return device


def limited(facts: Facts) -> dict[str, str]:
    """Return the facts as fields of an entry, none longer than its column."""
    longest = {field.name: getattr(field, "max_length", None) for field in Device._meta.fields}
    return {name: value[: longest[name]] for name, value in asdict(facts).items()}


def _learn_serial(physical: PhysicalDevice, serial: str) -> None:
    if serial and physical.serial != serial:
        PhysicalDevice.objects.filter(pk=physical.pk).update(serial=serial)


def succeed(previous: Device, device: Device) -> None:
    """Lead from an archived entry to the one that took its place, and hand over what stays."""
    Device.objects.filter(pk=previous.pk).update(superseded_by=device)
    if device.user_id is not None and previous.user_id == device.user_id:
        grouped.carry_over(previous=previous, device=device)


def _ownership(said: str, user: User | None, previous: Device | None) -> str:
    if said != Ownership.NOT_SET or previous is None or user is None:
        return said
    return previous.ownership if previous.user_id == user.pk else said


def archive(device: Device, *, actor: Actor, ends: Mapping[str, str] = ORDERS_WERE_LEFT) -> None:
    """Set a predecessor aside: cancel its queue, and say in its history what became of it."""
    end = end_of(device.state, ends)
    if end != device.state:
        lifecycle.transition(device_id=device.pk, to=end, actor=actor)
    else:
        commands.cancel_all(device, actor=actor)
    now = clock.now()
    Device.objects.filter(pk=device.pk).update(
        archived_at=now, inventory_due_at=None, groups_due_at=now
    )
    history.record(device, "devices.device.archived", actor=actor)


def check_limit(user: User, limit: int, *, but: Device | None) -> None:
    """Raise DeviceLimitReached for a person who has enough other devices."""
    # The person's row is the lock: two devices at once must not both be the last allowed one.
    User.objects.select_for_update().get(pk=user.pk)
    others = Device.objects.counted_for_limit().filter(user=user)
    if but is not None:
        others = others.exclude(pk=but.pk)
    if others.count() >= limit:
        raise DeviceLimitReached

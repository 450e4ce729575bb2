"""What groups and attributes mean for devices: orders, people who change, enrolling again."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from django.db.models import F, QuerySet

from accounts import grouping
from accounts.models import AttributeDefinition, GroupKind
from accounts.services import attributes, groups
from core import clock
from core.actors import Actor
from devices.models import (
    Device,
    DeviceAttributeValue,
    DeviceGroup,
    DeviceGroupMembership,
)

BATCH = 2000


def note_people(ids: Iterable[uuid.UUID]) -> None:
    """Have the devices of people looked at again: rules of devices may ask about their person."""
    keys = list(ids)
    for start in range(0, len(keys), BATCH):
        devices = Device.objects.current().filter(user_id__in=keys[start : start + BATCH])
        devices.update(groups_due_at=clock.now())


def join(*, device: Device, group: DeviceGroup, actor: Actor) -> Device:
    """Put a device into a manual group, which its history tells. Raises GroupNotManual."""
    return _change(device, [*_manual(device), group], actor)


def leave(*, device: Device, group: DeviceGroup, actor: Actor) -> Device:
    """Take a device out of a manual group, which its history tells."""
    return _change(device, [one for one in _manual(device) if one.pk != group.pk], actor)


def _manual(device: Device) -> list[DeviceGroup]:
    return list(device.device_groups.filter(kind=GroupKind.MANUAL))


def _change(device: Device, wanted: list[DeviceGroup], actor: Actor) -> Device:
    shape = grouping.get("device")
    groups.set_manual_groups(shape=shape, member=device, groups=wanted, actor=actor)
    return device


def set_attribute(
    *, device: Device, attribute: AttributeDefinition, value: str, actor: Actor
) -> Device:
    """Set or clear one custom attribute. Raises AttributeValueInvalid, ForeignObject."""
    attributes.set_values(
        shape=grouping.get("device"), member=device, values={attribute.key: value}, actor=actor
    )
    return device


def carry_over(*, previous: Device, device: Device) -> None:
    """Give a new entry of the same person what people said of the one before: the values of its
    attributes, and its manual groups, which the predecessor leaves. Seven queries at most."""
    told = DeviceAttributeValue.objects.filter(device=previous)
    DeviceAttributeValue.objects.bulk_create(
        (
            DeviceAttributeValue(
                device=device,
                attribute_id=one.attribute_id,
                text=one.text,
                number=one.number,
                flag=one.flag,
                day=one.day,
                changed_at=one.changed_at,
            )
            for one in told
        ),
        ignore_conflicts=True,
    )
    known = set(_manual_rows(device).values_list("group_id", flat=True))
    _manual_rows(previous).exclude(group_id__in=known).update(device=device)
    _leave_all(previous)


def part(device: Device) -> None:
    """Forget what people said of a device that is another person's from now on. Four queries."""
    DeviceAttributeValue.objects.filter(device=device).delete()
    _leave_all(device)


def _manual_rows(device: Device) -> QuerySet[DeviceGroupMembership]:
    return DeviceGroupMembership.objects.filter(device=device, group__kind=GroupKind.MANUAL)


def _leave_all(device: Device) -> None:
    left = list(_manual_rows(device).values_list("group_id", flat=True))
    _manual_rows(device).delete()
    DeviceGroup.objects.filter(pk__in=left).update(member_count=F("member_count") - 1)


def forget(device: Device) -> None:
    """Correct the numbers of the groups of a device that is deleted with its memberships."""
    DeviceGroup.objects.filter(memberships__device=device).update(
        member_count=F("member_count") - 1
    )

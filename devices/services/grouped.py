"""What groups and attributes mean for devices: people who change, devices that enroll again."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from django.db.models import F

from core import clock
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


def carry_over(*, previous: Device, device: Device) -> None:
    """Give a new entry of the same person what people said of the one before: the values of its
    attributes, and its manual groups, which the predecessor leaves. Six queries at most."""
    told = DeviceAttributeValue.objects.filter(device=previous)
    DeviceAttributeValue.objects.bulk_create(
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
    )
    DeviceGroupMembership.objects.filter(
        device=previous, group__in=DeviceGroup.objects.manual()
    ).update(device=device)


def forget(device: Device) -> None:
    """Correct the numbers of the groups of a device that is deleted with its memberships."""
    DeviceGroup.objects.filter(memberships__device=device).update(
        member_count=F("member_count") - 1
    )

"""What tests of bulk orders and of wipe governance share."""

from __future__ import annotations

from typing import Any

from core import clock, ids
from devices.models import (
    Channel,
    ChannelState,
    Device,
    DeviceContact,
    Operation,
    PhysicalDevice,
    Safeguard,
)
from devices.services import operation_work, operations
from devices.states import DeviceState


def fleet(tenant, size: int, **fields: Any) -> list[Device]:
    """Many active iPhones, written in a few queries."""
    physical = [
        PhysicalDevice(tenant=tenant, key=f"FLEET-{ids.uuid7()}", serial=f"FLEET{index:05d}")
        for index in range(size)
    ]
    PhysicalDevice.objects.bulk_create(physical, batch_size=1000)
    defaults = {
        "platform": "iphone",
        "channel_kind": "apple",
        "state": DeviceState.ACTIVE,
        "model_name": "iPhone 15",
        "os_version": "18.1",
        "enrolled_at": clock.now(),
    }
    rows = [
        Device(
            tenant=tenant,
            physical=one,
            name=f"Phone {index:05d}",
            serial=one.serial,
            **defaults | fields,
        )
        for index, one in enumerate(physical)
    ]
    Device.objects.bulk_create(rows, batch_size=1000)
    DeviceContact.objects.bulk_create(
        [DeviceContact(device=row, last_seen_at=clock.now()) for row in rows], batch_size=1000
    )
    Channel.objects.bulk_create(
        [Channel(device=row, kind="apple", state=ChannelState.ACTIVE) for row in rows],
        batch_size=1000,
    )
    return rows


def limit(tenant, number: int) -> None:
    Safeguard.objects.update_or_create(tenant=tenant, defaults={"wipe_limit": number})


def order(principal, action: str, devices, **fields: Any) -> Operation:
    """Give a bulk order as the interfaces do."""
    keys = [device.pk for device in devices]
    fields.setdefault("form", {"reason": [fields.get("reason", "")]})
    return operations.create(
        principal=principal,
        action_key=action,
        devices=Device.objects.visible_to(principal).filter(pk__in=keys),
        **fields,
    )


def wipe(principal, devices, reason: str = "Stolen", **fields: Any) -> Operation:
    fields.setdefault("confirmation", f"wipe {len(devices)}")
    return order(principal, "wipe", devices, reason=reason, **fields)


def work_off(operation: Operation) -> Operation:
    """Do everything of an order that a worker would do now."""
    while operation_work.work(operation.pk):
        pass
    return Operation.objects.get(pk=operation.pk)

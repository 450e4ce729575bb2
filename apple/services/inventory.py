"""Asks devices about themselves, and keeps what they answer."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Mapping
from typing import Any

from django.db import transaction

from apple.commands.base import Outcome
from apple.commands.device_information import DeviceInformation
from core import clock, history
from core.actors import Actor
from devices.models import Device, InventorySection, Ownership
from devices.services import commands, lifecycle
from devices.states import MANAGED

# In this order: the list of apps is the longest answer and may wait.
QUERIES = (
    "DeviceInformation",
    "SecurityInfo",
    "ProfileList",
    "CertificateList",
    "InstalledApplicationList",
)
EVERY = dt.timedelta(days=1)
_COLUMNS = {
    "name": "name",
    "serial_number": "serial",
    "product_name": "model",
    "model_name": "model_name",
    "os_version": "os_version",
    "build_version": "build",
    "is_supervised": "is_supervised",
}
_SHOWN_CHANGES = frozenset({"name", "serial", "os_version", "is_supervised", "ownership"})


@transaction.atomic(savepoint=False)
def request(*, device: Device, actor: Actor) -> None:
    """Queue every inventory query that is not open already, and wake the device."""
    commands.enqueue_all(
        channel=lifecycle.device_channel(device),
        kinds=QUERIES,
        actor=actor,
        # One that is away for long answers once when it is back, and not once per missed day.
        deadline=DeviceInformation.deadline,
    )
    Device.objects.filter(pk=device.pk).update(inventory_due_at=next_time())


def next_time() -> dt.datetime:
    """Return a moment about a day away, spread so that a fleet does not answer all at once."""
    return clock.now() + EVERY * random.uniform(0.9, 1.1)  # noqa: S311 - not a secret


def request_due(limit: int = 500) -> int:
    """Queue the inventory of every device that is due; returns of how many.

    A device is claimed by moving its due time on: two sweeps at once ask once.
    """
    now = clock.now()
    due = Device.objects.current().filter(inventory_due_at__lte=now, channel_kind="apple")
    found = list(due.order_by("inventory_due_at").values_list("pk", "inventory_due_at")[:limit])
    return sum(_request_one(pk, due_at) for pk, due_at in found)


@transaction.atomic
def _request_one(device_id: Any, due_at: dt.datetime) -> bool:
    claimed = Device.objects.filter(pk=device_id, inventory_due_at=due_at, state__in=MANAGED)
    if not claimed.update(inventory_due_at=next_time()):
        return False
    request(device=Device.objects.get(pk=device_id), actor=Actor.system("inventory"))
    return True


@transaction.atomic(savepoint=False)
def store(*, device: Device, outcome: Outcome) -> None:
    """Keep what a device told: whole sections are replaced, columns only where they differ.

    Two queries at most, and one more for the history when something people know has changed.
    """
    now = clock.now()
    rows = [
        InventorySection(device=device, kind=kind, data=dict(data), collected_at=now)
        for kind, data in outcome.sections.items()
    ]
    if rows:
        InventorySection.objects.bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=["device", "kind"],
            update_fields=["data", "collected_at"],
        )
    _store_facts(device, outcome.facts)


def _store_facts(device: Device, facts: Mapping[str, Any]) -> None:
    before, after = {}, {}
    for fact, column in _COLUMNS.items():
        if fact not in facts:
            continue
        value = _fitted(column, facts[fact])
        if value != getattr(device, column):
            before[column], after[column] = getattr(device, column), value
            setattr(device, column, value)
    if not after:
        return
    if device.is_surely_company and device.ownership != Ownership.COMPANY:
        before["ownership"], after["ownership"] = device.ownership, Ownership.COMPANY.value
        device.ownership = Ownership.COMPANY
    device.groups_due_at = clock.now()
    device.save(update_fields=[*after, "groups_due_at"])
    # The first answer fills what was empty; only what replaces something is a change.
    told = {name for name in after if before[name] not in ("", None)} & _SHOWN_CHANGES
    if told:
        data = {name: [before[name], after[name]] for name in sorted(told)}
        history.record(device, "devices.device.changed", actor=device.actor, data=data)


def _fitted(column: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return value[: getattr(Device._meta.get_field(column), "max_length", None)]

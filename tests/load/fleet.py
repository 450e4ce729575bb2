"""A tenant of many devices, and how long its dynamic groups take: done beside a running server."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import islice
from typing import Any

BATCH = 5000
MODELS = (("iphone", "iPhone16,1", "iPhone 15 Pro"), ("mac", "Mac15,3", "MacBook Pro"))
# One condition; and a nested rule over texts, versions, people and attributes.
RULES: dict[str, dict[str, Any]] = {
    "one condition": {
        "match": "all",
        "rules": [{"field": "platform", "operator": "equals", "value": "mac"}],
    },
    "six nested conditions": {
        "match": "all",
        "rules": [
            {"field": "os_version", "operator": "less", "value": "18.5"},
            {"field": "name", "operator": "not_contains", "value": "99"},
            {
                "match": "any",
                "rules": [
                    {"field": "attr.floor", "operator": "greater", "value": 3},
                    {"field": "person.attr.team", "operator": "equals", "value": "Équipe 7"},
                    {"field": "person.last_name", "operator": "ends", "value": "3"},
                    {"field": "last_contact", "operator": "older_days", "value": 30},
                ],
            },
        ],
    },
}


def seed_fleet(devices: int) -> None:
    """Fill the tenant with active devices, half as many people, and values of two attributes."""
    from core.models import Tenant

    tenant = Tenant.objects.get()
    floor, team = _attributes(tenant)
    people = _people(tenant, devices // 2, team)
    for start in range(0, devices, BATCH):
        _devices(tenant, range(start, min(start + BATCH, devices)), people, floor)


def recompute_groups(rule: str) -> list[float]:
    """Seconds that a rule takes: at first, when its members come, and twice more, unchanged."""
    from django.db import transaction

    from accounts import grouping
    from accounts.services import group_rules, groups
    from core.actors import Actor
    from core.models import Tenant

    shape, actor, found = grouping.get("device"), Actor.system("bench"), []
    # In one transaction, so that the server's own worker does not do it first.
    with transaction.atomic():
        group = groups.create(
            shape=shape, tenant=Tenant.objects.get(), name=rule, rule=RULES[rule], actor=actor
        )
        for _run in range(3):
            begun = time.perf_counter()
            group = group_rules.recompute(shape, group.pk)
            found.append(time.perf_counter() - begun)
    if not group.member_count:
        raise RuntimeError(f"nobody is in the group with {rule}")
    return found


def _attributes(tenant: Any) -> tuple[Any, Any]:
    from accounts.models import AttributeDefinition

    made = AttributeDefinition.objects.create
    return (
        made(tenant=tenant, owner_kind="device", key="floor", label="Floor", kind="number"),
        made(tenant=tenant, owner_kind="user", key="team", label="Team", kind="text"),
    )


def _people(tenant: Any, count: int, team: Any) -> list[Any]:
    from accounts.models import User, UserAttributeValue

    people = [
        User(
            tenant=tenant,
            email=f"fleet{number}@bench.test",
            first_name="Élodie",
            last_name=f"Martin {number}",
            groups_due_at=None,
        )
        for number in range(count)
    ]
    User.objects.bulk_create(people, batch_size=BATCH)
    told = (
        UserAttributeValue(user=person, attribute=team, text=f"équipe {number % 50}")
        for number, person in enumerate(people)
    )
    for batch in _batches(told):
        UserAttributeValue.objects.bulk_create(batch)
    return people


def _devices(tenant: Any, numbers: range, people: list[Any], floor: Any) -> None:
    from core import clock
    from devices.models import Device, DeviceAttributeValue, DeviceContact, PhysicalDevice

    things = [
        PhysicalDevice(tenant=tenant, key=f"FLEET-{number:08d}", serial=f"FL{number:08d}")
        for number in numbers
    ]
    PhysicalDevice.objects.bulk_create(things)
    now = clock.now()
    devices = []
    for number, thing in zip(numbers, things, strict=True):
        platform, model, model_name = MODELS[number % 2]
        devices.append(
            Device(
                tenant=tenant,
                physical=thing,
                user=people[number % len(people)],
                platform=platform,
                channel_kind="apple",
                state="active",
                enrolled_at=now,
                name=f"Device {number}",
                serial=thing.serial,
                model=model,
                model_name=model_name,
                os_version=f"18.{number % 10}.1",
                groups_due_at=None,
            )
        )
    Device.objects.bulk_create(devices)
    DeviceContact.objects.bulk_create(
        DeviceContact(device=one, last_seen_at=now) for one in devices
    )
    DeviceAttributeValue.objects.bulk_create(
        DeviceAttributeValue(device=one, attribute=floor, number=number % 12)
        for number, one in zip(numbers, devices, strict=True)
    )


def _batches(rows: Iterator[Any]) -> Iterator[list[Any]]:
    while batch := list(islice(rows, BATCH)):
        yield batch

"""Whose device it is: the person, and whether the organisation owns it."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from accounts.models import User
from core import clock, history
from core.actors import Actor
from devices.errors import NotSupported, StrangerAssigned, SupervisedIsCompany
from devices.models import Device, Ownership
from devices.services import lifecycle


@transaction.atomic
def assign(*, device: Device, actor: Actor, person: User | None, reason: str = "") -> Device:
    """Give a device to a person of the organisation, or to nobody. Raises StrangerAssigned,
    NotSupported for an entry that was set aside."""
    device = _current(device)
    if person is not None and not _is_colleague(person, device):
        raise StrangerAssigned
    before = device.user
    if (before and before.pk) == (person and person.pk):
        return device
    device.user, device.groups_due_at = person, clock.now()
    device.save(update_fields=["user", "groups_due_at"])
    emails = [before.email if before else None, person.email if person else None]
    _record(device, "devices.device.assigned", actor, reason, person=emails)
    return device


@transaction.atomic
def set_ownership(*, device: Device, actor: Actor, ownership: str, reason: str = "") -> Device:
    """Say who owns a device. Raises SupervisedIsCompany, NotSupported."""
    device = _current(device)
    ownership = Ownership(ownership).value
    if device.is_surely_company and ownership != Ownership.COMPANY:
        raise SupervisedIsCompany
    before, device.ownership = device.ownership, ownership
    if before != ownership:
        device.groups_due_at = clock.now()
        device.save(update_fields=["ownership", "groups_due_at"])
        data = {"ownership": [before, ownership]}
        _record(device, "devices.device.ownership_changed", actor, reason, **data)
    return device


def _current(device: Device) -> Device:
    device = lifecycle.locked(device.pk)
    if device.archived_at is not None:
        raise NotSupported
    return device


def _is_colleague(person: User, device: Device) -> bool:
    # Read again: whoever was chosen may have been disabled since.
    rows = User.objects.filter(pk=person.pk, tenant_id=device.tenant_id, is_active=True)
    return rows.exists()


def _record(device: Device, action: str, actor: Actor, reason: str, **data: Any) -> None:
    history.record(device, action, actor=actor, data=data | ({"reason": reason} if reason else {}))

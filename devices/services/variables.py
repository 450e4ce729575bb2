"""Checks texts with variables when they are saved, and resolves them for a device."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from typing import Any, NamedTuple

from accounts import grouping
from accounts.models import AttributeDefinition
from accounts.services import attributes
from core import variables as pure
from core.variables import Mistake, Piece, Resolved
from devices.errors import VariableMistake
from devices.models import Device
from devices.variables import BUILTIN, NAMES


class Told(NamedTuple):
    """One variable as a page shows it."""

    name: str
    label: str
    value: str
    aliases: tuple[str, ...]


def check(*, tenant_id: uuid.UUID, text: str) -> tuple[Piece, ...]:
    """Return the pieces of a text that is to be saved. Raises VariableMistake. One query."""
    try:
        return pure.parse(text, _name_of(_definitions(tenant_id)))
    except Mistake as mistake:
        raise VariableMistake(mistake) from mistake


def resolve(*, device: Device, text: str) -> Resolved:
    """Return a text for one device; three queries at most. Raises VariableMistake."""
    return pure.resolve(check(tenant_id=device.tenant_id, text=text), values_for(device))


def values_for(device: Device) -> dict[str, str]:
    """Return the values of a device by name of the variable, without missing ones. Two queries."""
    found = {one.name: _text(one.read(device)) for one in BUILTIN}
    for key, value in attributes.values_of(shape=grouping.get("device"), member=device).items():
        found[f"device.attr.{key}"] = _text(value)
    if device.user is not None:
        own = attributes.values_of(shape=grouping.get("user"), member=device.user)
        found |= {f"user.attr.{key}": _text(value) for key, value in own.items()}
    return {name: value for name, value in found.items() if value}


def listed(device: Device) -> list[Told]:
    """Return every variable with its value for a device. Three queries."""
    values = values_for(device)
    rows = [(one.name, str(one.label), one.aliases) for one in BUILTIN]
    rows += [
        (f"{one.owner_kind}.attr.{one.key}", one.label, ())
        for one in _definitions(device.tenant_id)
    ]
    return [Told(name, label, values.get(name, ""), aliases) for name, label, aliases in rows]


def _definitions(tenant_id: uuid.UUID) -> list[AttributeDefinition]:
    return list(AttributeDefinition.objects.filter(tenant_id=tenant_id))


def _name_of(definitions: list[AttributeDefinition]) -> Callable[[str], str | None]:
    custom = {f"{one.owner_kind}.attr.{one.key}" for one in definitions}
    return lambda name: name if name in custom else NAMES.get(name)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.datetime):
        return value.isoformat(timespec="seconds")
    return value.isoformat() if isinstance(value, dt.date) else str(value)

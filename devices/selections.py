"""Reads which devices a bulk order is for: ticked ones, all that a filter finds, or what failed."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.http import QueryDict

from accounts.access import Principal
from devices.errors import UnknownDevices, UnknownFilter
from devices.filters import DeviceFilterSet
from devices.models import Device, Operation

MAX_CHOSEN = 10_000


@dataclass(frozen=True)
class Selection:
    """The devices, limited to what the principal may see, and the filter that found them."""

    devices: QuerySet[Device]
    query: str = ""
    retry_of: Operation | None = None


def chosen(principal: Principal, ids: Iterable[Any]) -> Selection:
    """Return devices named one by one. Raises UnknownDevices unless every one may be seen: a list
    with something foreign in it is refused as a whole."""
    keys = {_uuid(one) for one in ids}
    if not keys or None in keys or len(keys) > MAX_CHOSEN:
        raise UnknownDevices
    found = Device.objects.visible_to(principal).filter(pk__in=keys)
    if found.count() != len(keys):
        raise UnknownDevices
    return Selection(found)


def matching(principal: Principal, query: str, *, is_strict: bool = False) -> Selection:
    """Return what a filter of the list finds. Raises UnknownFilter for a value that is none: it
    would find more than was meant. `is_strict` refuses names that are no filters, too."""
    asked = QueryDict(query)
    known = {name: value for name, value in asked.items() if name in DeviceFilterSet.base_filters}
    if is_strict and len(known) != len(asked):
        raise UnknownFilter
    filters = DeviceFilterSet(_query(known), queryset=Device.objects.visible_to(principal))
    if not filters.is_valid():
        raise UnknownFilter
    return Selection(filters.qs, query=_query(known).urlencode() or "all=1")


def failed(principal: Principal, operation: Operation) -> Selection:
    """Return the devices of an order for which it failed."""
    keys = operation.targets.failed().values("device_id")
    rows = Device.objects.visible_to(principal).filter(pk__in=keys)
    return Selection(rows, retry_of=operation)


def _query(values: Mapping[str, str]) -> QueryDict:
    query = QueryDict(mutable=True)
    query.update(values)
    return query


def _uuid(text: Any) -> uuid.UUID | None:
    try:
        return uuid.UUID(str(text))
    except ValueError:
        return None

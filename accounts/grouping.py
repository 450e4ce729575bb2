"""The registry of what can be grouped: people here, devices by the app above.

A shape says which rows a group holds and what its rules may ask. The services of groups are
written once, for every shape.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db.models import Model, QuerySet

from accounts.models.group import Group
from core.rules.fields import Catalogue


@dataclass(frozen=True)
class Shape:
    """`member` is the field that names a row of `model` in `memberships` and in `values` (those of
    custom attributes, whose definitions have `key` as owner). `candidates` are the rows that a rule
    may choose from; `builtin` are the rules of the built-in groups; `view_permissions` are needed
    to ask about them."""

    key: str
    model: type[Model]
    groups: type[Group]
    memberships: type[Model]
    values: type[Model]
    member: str
    candidates: Callable[[], QuerySet[Any]]
    catalogue: Callable[[uuid.UUID], Catalogue]
    builtin: Mapping[str, dict[str, Any]]
    view_permissions: tuple[str, ...]

    @property
    def app(self) -> str:
        return self.groups._meta.app_label

    def action(self, verb: str) -> str:
        """The name of an action of the change history."""
        return f"{self.app}.group.{verb}"


class Use(NamedTuple):
    """Something that needs a group or an attribute: what kind of thing, its key, its name."""

    kind: str
    pk: uuid.UUID
    label: str


_shapes: dict[str, Shape] = {}
_listeners: list[Callable[[Iterable[uuid.UUID]], None]] = []
_users: list[Callable[[Group], list[Use]]] = []


def register(shape: Shape) -> None:
    _shapes[shape.key] = shape


def shapes() -> list[Shape]:
    """Return people first: rules of the other shapes may ask for their groups."""
    return sorted(_shapes.values(), key=lambda shape: shape.key != "user")


def get(key: str) -> Shape:
    return _shapes[key]


def shape_of(group: Group) -> Shape:
    return next(shape for shape in _shapes.values() if isinstance(group, shape.groups))


def on_people_changed(listener: Callable[[Iterable[uuid.UUID]], None]) -> None:
    """Let an app above hear of people whose facts or groups have changed."""
    _listeners.append(listener)


def people_changed(ids: Iterable[uuid.UUID]) -> None:
    changed = list(ids)
    for listener in _listeners:
        listener(changed)


def on_use(finder: Callable[[Group], list[Use]]) -> None:
    """Let an app above say that it needs a group, which then cannot be deleted."""
    _users.append(finder)


def uses_above(group: Group) -> list[Use]:
    return [use for finder in _users for use in finder(group)]

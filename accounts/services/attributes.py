"""Defines custom attributes, and keeps their values on people and on what the apps above own."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction

from accounts import grouping
from accounts.errors import (
    AttributeInUse,
    AttributeKeyTaken,
    AttributeValueInvalid,
    ForeignObject,
    TooManyAttributes,
)
from accounts.grouping import Shape, Use
from accounts.models import AttributeDefinition, AttributeKind
from accounts.services import group_rules
from core import clock, history
from core.actors import Actor
from core.models import Tenant
from core.rules import values, words

MAX_ATTRIBUTES = 100
MAX_TEXT = 500
COLUMNS = {
    AttributeKind.TEXT: "text",
    AttributeKind.NUMBER: "number",
    AttributeKind.BOOLEAN: "flag",
    AttributeKind.DATE: "day",
}
EMPTY: dict[str, Any] = {"text": "", "number": None, "flag": None, "day": None}
Value = str | Decimal | bool | dt.date


@transaction.atomic
def define(
    *,
    tenant: Tenant,
    owner_kind: str,
    key: str,
    label: str,
    kind: str,
    actor: Actor,
    description: str = "",
) -> AttributeDefinition:
    """Define an attribute. Raises AttributeKeyTaken, TooManyAttributes, ValidationError."""
    # The tenant is the lock: two definitions at once must not both be the last allowed one.
    Tenant.objects.select_for_update().get(pk=tenant.pk)
    others = AttributeDefinition.objects.filter(tenant=tenant, owner_kind=owner_kind)
    if others.count() >= MAX_ATTRIBUTES:
        raise TooManyAttributes
    if others.filter(key=key).exists():
        raise AttributeKeyTaken
    row = AttributeDefinition(
        tenant=tenant,
        owner_kind=owner_kind,
        key=key,
        label=label.strip(),
        kind=kind,
        description=description.strip(),
    )
    row.full_clean(validate_unique=False, validate_constraints=False)
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        raise AttributeKeyTaken from error
    data = {"owner_kind": owner_kind, "key": key, "kind": kind}
    history.record(row, "accounts.attribute.created", actor=actor, data=data)
    return row


@transaction.atomic
def edit(*, attribute: AttributeDefinition, actor: Actor, **fields: Any) -> AttributeDefinition:
    """Change label or description; key and type never change. Raises ValidationError."""
    row = AttributeDefinition.objects.select_for_update(of=("self",)).get(pk=attribute.pk)
    wanted = {
        name: str(value).strip()
        for name, value in fields.items()
        if name in ("label", "description")
    }
    changed = history.changes({name: getattr(row, name) for name in wanted}, wanted)
    if changed:
        for name, value in wanted.items():
            setattr(row, name, value)
        row.full_clean(validate_unique=False, validate_constraints=False)
        row.save(update_fields=list(changed))
        history.record(row, "accounts.attribute.changed", actor=actor, data=changed)
    return row


@transaction.atomic
def delete(*, attribute: AttributeDefinition, actor: Actor) -> None:
    """Delete an attribute with all its values. Raises AttributeInUse."""
    Tenant.objects.select_for_update().get(pk=attribute.tenant_id)
    uses = used_by(attribute)
    if uses:
        raise AttributeInUse([use.label for use in uses])
    data = {"owner_kind": attribute.owner_kind, "key": attribute.key, "values": count(attribute)}
    history.record(attribute, "accounts.attribute.deleted", actor=actor, data=data)
    shape = grouping.get(attribute.owner_kind)
    shape.values._default_manager.filter(attribute=attribute).delete()
    attribute.delete()


def used_by(attribute: AttributeDefinition) -> list[Use]:
    """Return the groups whose rules ask for an attribute."""
    catalogues = {shape.key: shape.catalogue(attribute.tenant_id) for shape in grouping.shapes()}
    return [
        Use(shape.key, group.pk, str(group.label))
        for shape, group, rule in group_rules.of_tenant(attribute.tenant_id)
        if group_rules.asks_for_attribute(rule, catalogues[shape.key], attribute.pk)
    ]


def count(attribute: AttributeDefinition) -> int:
    """Return how many values an attribute has. One query."""
    shape = grouping.get(attribute.owner_kind)
    return shape.values._default_manager.filter(attribute=attribute).count()


def values_of(*, shape: Shape, member: Any) -> dict[str, Value]:
    """Return the values of one row by key of the attribute, without empty ones. One query."""
    rows: Any = shape.values._default_manager.filter(**{f"{shape.member}_id": member.pk})
    return {row.attribute.key: row.value for row in rows.select_related("attribute")}


def read(attribute: AttributeDefinition, given: Any) -> Value | None:
    """Return a value as it is stored, None for an empty one. Raises AttributeValueInvalid."""
    if given is None or (isinstance(given, str) and not given.strip()):
        return None
    try:
        match attribute.kind:
            case AttributeKind.NUMBER:
                return values.number(given)
            case AttributeKind.BOOLEAN:
                return values.boolean(given)
            case AttributeKind.DATE:
                return values.date(given)
            case _:
                return values.text(given, longest=MAX_TEXT)
    except values.Unreadable as error:
        reason = words.problem(error.code, **error.params)
        raise AttributeValueInvalid(attribute.key, reason) from error


@transaction.atomic
def set_values(
    *, shape: Shape, member: Any, values: Mapping[str, Any], actor: Actor
) -> dict[str, list[Any]]:
    """Set values by key, empty ones clear; keys that are left out stay. Returns what changed.

    Six queries at most. Raises ForeignObject for an unknown key, AttributeValueInvalid.
    """
    shape.model._default_manager.select_for_update(of=("self",)).get(pk=member.pk)
    known = {
        one.key: one
        for one in AttributeDefinition.objects.filter(
            tenant_id=member.tenant_id, owner_kind=shape.key, key__in=list(values)
        )
    }
    if len(known) != len(values):
        raise ForeignObject
    before = values_of(shape=shape, member=member)
    after = {key: read(known[key], given) for key, given in values.items()}
    changed = {key: value for key, value in after.items() if value != before.get(key)}
    if not changed:
        return {}
    _store(shape, member.pk, {known[key]: value for key, value in changed.items()})
    told = {known[key].label: [_plain(before.get(key)), _plain(changed[key])] for key in changed}
    action = f"{shape.app}.{shape.member}.attributes_changed"
    history.record(member, action, actor=actor, data=told)
    group_rules.touch(shape, [member.pk])
    return told


def _store(
    shape: Shape, pk: uuid.UUID, changed: Mapping[AttributeDefinition, Value | None]
) -> None:
    model, owner = shape.values, f"{shape.member}_id"
    cleared = [one for one, value in changed.items() if value is None]
    model._default_manager.filter(**{owner: pk, "attribute__in": cleared}).delete()
    rows = [
        model(
            attribute=one,
            changed_at=clock.now(),
            **{owner: pk},
            **EMPTY | {COLUMNS[AttributeKind(one.kind)]: value},
        )
        for one, value in changed.items()
        if value is not None
    ]
    model._default_manager.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=[shape.member, "attribute"],
        update_fields=[*EMPTY, "changed_at"],
    )


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, bool) else str(value)

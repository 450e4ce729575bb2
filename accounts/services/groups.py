"""Makes and changes groups of every shape, and the members of manual ones."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.db.models import F

from accounts import grouping
from accounts.errors import (
    ForeignObject,
    GroupFixed,
    GroupInUse,
    GroupNameTaken,
    GroupNotManual,
    TooManyGroups,
)
from accounts.grouping import Shape, Use
from accounts.models.group import Group, GroupKind
from accounts.services import group_rules
from core import clock, history
from core.actors import Actor
from core.models import Tenant
from core.rules.tree import dump, parse

MAX_GROUPS = 500
MAX_SELECTION = 10_000
NAMED = 20


@transaction.atomic
def create_builtin(*, shape: Shape, tenant: Tenant) -> None:
    """Create the built-in groups that a tenant lacks, and renew the rules of the others."""
    known = {
        group.key: group for group in shape.groups.objects.filter(tenant=tenant).exclude(key="")
    }
    for key, rule in shape.builtin.items():
        group = known.get(key)
        if group is None:
            shape.groups.objects.create(
                tenant=tenant,
                name=f"builtin:{key}",
                key=key,
                kind=GroupKind.BUILTIN,
                rule=rule,
                due_at=clock.now(),
            )
        elif group.rule != rule:
            shape.groups.objects.filter(pk=group.pk).update(rule=rule, due_at=clock.now())


@transaction.atomic
def create(
    *,
    shape: Shape,
    tenant: Tenant,
    name: str,
    actor: Actor,
    description: str = "",
    rule: dict[str, Any] | None = None,
) -> Group:
    """Create a manual group, or with a `rule` a dynamic one, which is filled by the next sweep.

    Raises RuleInvalid, GroupNameTaken, TooManyGroups, ValidationError.
    """
    # The tenant is the lock: two groups of one name at once, or one more than allowed.
    Tenant.objects.select_for_update().get(pk=tenant.pk)
    rows = shape.groups.objects.filter(tenant=tenant)
    if rows.count() >= MAX_GROUPS:
        raise TooManyGroups
    group = shape.groups(tenant=tenant, name=name.strip(), description=description.strip())
    _check_name(shape, group)
    group.due_at = clock.now()
    if rule is not None:
        group.kind = GroupKind.DYNAMIC
        group.rule = dump(parse(rule, shape.catalogue(tenant.pk)))
    group.full_clean(validate_unique=False, validate_constraints=False)
    group.save(force_insert=True)
    data = {"kind": group.kind, "description": group.description}
    history.record(group, shape.action("created"), actor=actor, data=data)
    group_rules.ring_for(group)
    return group


@transaction.atomic
def edit(*, group: Group, actor: Actor, **fields: Any) -> Group:
    """Change name, description or rule; the kind of a group stays what it is.

    Raises GroupFixed, GroupNotManual (a rule for a manual group), RuleInvalid, GroupNameTaken.
    """
    shape = grouping.shape_of(group)
    group = shape.groups.objects.select_for_update(of=("self",)).get(pk=group.pk)
    if group.is_builtin:
        raise GroupFixed
    wanted = {
        name: str(value).strip()
        for name, value in fields.items()
        if name in ("name", "description")
    }
    before: dict[str, Any] = {name: getattr(group, name) for name in wanted}
    after: dict[str, Any] = dict(wanted)
    if fields.get("rule") is not None:
        if group.is_manual:
            raise GroupNotManual
        before["rule"] = group.rule
        after["rule"] = dump(parse(fields["rule"], shape.catalogue(group.tenant_id)))
    changed = history.changes(before, after)
    if not changed:
        return group
    for name, value in after.items():
        setattr(group, name, value)
    _check_name(shape, group)
    group.full_clean(validate_unique=False, validate_constraints=False)
    update = list(changed)
    if "rule" in changed:
        group.due_at = clock.now()
        update.append("due_at")
        changed["rule"] = [
            group_rules.in_words(shape, group.tenant_id, one) for one in changed["rule"]
        ]
    group.save(update_fields=update)
    history.record(group, shape.action("changed"), actor=actor, data=changed)
    group_rules.ring_for(group)
    return group


@transaction.atomic
def delete(*, group: Group, actor: Actor) -> None:
    """Delete a group; nobody is deleted with it. Raises GroupFixed, GroupInUse."""
    shape = grouping.shape_of(group)
    Tenant.objects.select_for_update().get(pk=group.tenant_id)
    group = shape.groups.objects.select_for_update(of=("self",)).get(pk=group.pk)
    if group.is_builtin:
        raise GroupFixed
    uses = used_by(group)
    if uses:
        raise GroupInUse([use.label for use in uses])
    data = {"kind": group.kind, "members": group.member_count}
    history.record(group, shape.action("deleted"), actor=actor, data=data)
    members = list(_members_of(shape, group).values_list(f"{shape.member}_id", flat=True))
    shape.memberships._default_manager.filter(group_id=group.pk).delete()
    group.delete()
    _touch(shape, members)


def used_by(group: Group) -> list[Use]:
    """Return what needs a group: rules that ask for it, and what the apps above use it for."""
    found = [
        Use(shape.key, other.pk, str(other.label))
        for shape, other, rule in group_rules.of_tenant(group.tenant_id)
        if group_rules.asks_for_group(rule, shape, group)
    ]
    return found + grouping.uses_above(group)


@transaction.atomic
def add_members(*, group: Group, ids: Iterable[uuid.UUID], actor: Actor) -> int:
    """Put rows into a manual group; returns how many were not in it. Constant queries.

    All must be of the group's tenant. Raises GroupNotManual, ForeignObject.
    """
    shape, group = _locked_manual(group)
    wanted = _own(shape, group, ids)
    known = set(
        _members_of(shape, group)
        .filter(**{f"{shape.member}_id__in": wanted})
        .values_list(f"{shape.member}_id", flat=True)
    )
    new = [pk for pk in wanted if pk not in known]
    group_rules.insert(shape, [(group.pk, pk) for pk in new])
    _note(shape, group, new, "members_added", actor, sign=1)
    return len(new)


@transaction.atomic
def remove_members(*, group: Group, ids: Iterable[uuid.UUID], actor: Actor) -> int:
    """Take rows out of a manual group; returns how many were in it. Constant queries.

    Raises GroupNotManual, ForeignObject.
    """
    shape, group = _locked_manual(group)
    rows = _members_of(shape, group).filter(**{f"{shape.member}_id__in": _own(shape, group, ids)})
    gone = list(rows.values_list(f"{shape.member}_id", flat=True))
    rows.delete()
    _note(shape, group, gone, "members_removed", actor, sign=-1)
    return len(gone)


@transaction.atomic
def move_members(
    *, group: Group, add: Iterable[uuid.UUID], remove: Iterable[uuid.UUID], actor: Actor
) -> None:
    """Put some in and take others out, all or nothing. Raises GroupNotManual, ForeignObject."""
    add_members(group=group, ids=add, actor=actor)
    remove_members(group=group, ids=remove, actor=actor)


@transaction.atomic
def set_manual_groups(*, shape: Shape, member: Any, groups: Iterable[Group], actor: Actor) -> None:
    """Make `groups` the manual groups of one row, which its history tells.

    Raises GroupNotManual, ForeignObject.
    """
    wanted = {group.pk: group for group in groups}
    if any(group.tenant_id != member.tenant_id for group in wanted.values()):
        raise ForeignObject
    if not all(group.is_manual for group in wanted.values()):
        raise GroupNotManual
    manual = shape.groups.objects.manual().filter(tenant_id=member.tenant_id)
    rows = shape.memberships._default_manager.filter(
        **{f"{shape.member}_id": member.pk, "group__in": manual}
    )
    locked = shape.groups.objects.select_for_update(of=("self",)).order_by("pk")
    current = {group.pk: group for group in locked.filter(memberships__in=rows)}
    list(locked.filter(pk__in=wanted))
    joined, left = wanted.keys() - current.keys(), current.keys() - wanted.keys()
    if not joined and not left:
        return
    rows.filter(group_id__in=left).delete()
    group_rules.insert(shape, [(pk, member.pk) for pk in sorted(joined)])
    shape.groups.objects.filter(pk__in=joined).update(member_count=F("member_count") + 1)
    shape.groups.objects.filter(pk__in=left).update(member_count=F("member_count") - 1)
    names = [sorted(str(group.label) for group in one.values()) for one in (current, wanted)]
    action = f"{shape.app}.{shape.member}.groups_changed"
    history.record(member, action, actor=actor, data={"groups": names})
    _touch(shape, [member.pk])


def _check_name(shape: Shape, group: Group) -> None:
    others = shape.groups.objects.filter(tenant_id=group.tenant_id).exclude(pk=group.pk)
    builtin = {str(label).lower() for label in shape.groups.BUILTIN_NAMES.values()}
    if others.filter(name__iexact=group.name).exists() or group.name.lower() in builtin:
        raise GroupNameTaken


def _locked_manual(group: Group) -> tuple[Shape, Group]:
    shape = grouping.shape_of(group)
    group = shape.groups.objects.select_for_update(of=("self",)).get(pk=group.pk)
    if not group.is_manual:
        raise GroupNotManual
    return shape, group


def _own(shape: Shape, group: Group, ids: Iterable[uuid.UUID]) -> list[uuid.UUID]:
    wanted = list(dict.fromkeys(ids))[: MAX_SELECTION + 1]
    known = shape.model._default_manager.filter(tenant_id=group.tenant_id, pk__in=wanted)
    if len(wanted) > MAX_SELECTION or known.count() != len(wanted):
        raise ForeignObject
    return wanted


def _members_of(shape: Shape, group: Group) -> Any:
    return shape.memberships._default_manager.filter(group_id=group.pk)


def _note(
    shape: Shape, group: Group, ids: list[uuid.UUID], verb: str, actor: Actor, *, sign: int
) -> None:
    if not ids:
        return
    shape.groups.objects.filter(pk=group.pk).update(
        member_count=F("member_count") + sign * len(ids)
    )
    named = shape.model._default_manager.filter(pk__in=ids[:NAMED])
    data = {"count": len(ids), "names": sorted(str(one) for one in named)}
    history.record(group, shape.action(verb), actor=actor, data=data)
    _touch(shape, ids)


def _touch(shape: Shape, ids: list[uuid.UUID]) -> None:
    """Rules may ask for manual groups: those who came or went are looked at again."""
    group_rules.touch(shape, ids)

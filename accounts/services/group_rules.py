"""Which rows the rules of groups choose: full recomputing, and of the rows that changed.

Memberships are stored. A group is recomputed as a whole when its rule changes, and from time to
time; a row that changed is looked at alone, for all groups of its tenant. Both are found by due
columns: a lost message or a killed worker costs only time.
"""

from __future__ import annotations

import datetime as dt
import uuid
import zoneinfo
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import structlog
from django.db import transaction
from django.db.models import F, QuerySet

from accounts import grouping
from accounts.access import Principal
from accounts.errors import NotAllowedToAsk
from accounts.grouping import Shape
from accounts.models.group import Group
from core import clock, history
from core.actors import Actor
from core.models import Tenant
from core.rules import described
from core.rules.compiling import Attribute, Membership, Moment, compile_rule
from core.rules.errors import RuleInvalid
from core.rules.fields import Catalogue
from core.rules.tree import EVERYTHING, Branch, moves_by_itself, parse

LEASE = dt.timedelta(minutes=5)
# What no change announces: the last contact, and days that pass.
DRIFT_EVERY = dt.timedelta(minutes=15)
# Every other group, so that a change that nobody announced is found after all.
CHECK_EVERY = dt.timedelta(hours=6)
BATCH, BATCHES = 500, 40
INSERT = 5000
SAMPLE = 10

log = structlog.get_logger(__name__)
SWEEP = Actor.system("groups")


def rule_of(group: Group, catalogue: Catalogue) -> Branch:
    """Return the rule of a group. Raises RuleInvalid when it asks for what is gone."""
    if group.is_builtin and not group.rule.get("rules"):
        return EVERYTHING
    return parse(group.rule, catalogue)


def matching(shape: Shape, tenant: Tenant, rule: Branch, catalogue: Catalogue) -> QuerySet[Any]:
    """Return the rows of a tenant that a rule chooses now."""
    moment = Moment(clock.now(), zoneinfo.ZoneInfo(tenant.time_zone))
    rows = shape.candidates().filter(tenant_id=tenant.pk)
    return rows.filter(compile_rule(rule, catalogue, moment))


def sweep(shape: Shape) -> int:
    """Look at changed rows, then recompute due groups; returns how many of both. Idempotent."""
    done = 0
    for _batch in range(BATCHES):
        found = refresh_due(shape)
        done += found
        if found < BATCH:
            break
    now = clock.now()
    for pk, due_at in shape.groups.objects.due(now).order_by("due_at").values_list("pk", "due_at"):
        lease = clock.now() + LEASE
        if shape.groups.objects.filter(pk=pk, due_at=due_at).update(due_at=lease):
            recompute(shape, pk, lease=lease)
            done += 1
    return done


@transaction.atomic
def recompute(shape: Shape, pk: uuid.UUID, *, lease: dt.datetime | None = None) -> Group:
    """Make the members of one group what its rule says; a constant number of queries per 5,000
    who come. When the rule cannot be read, the members stay as they are; those of a manual group
    are only counted."""
    rows = shape.groups.objects.select_related("tenant").select_for_update(of=("self",))
    group = rows.get(pk=pk)
    catalogue = shape.catalogue(group.tenant_id)
    is_drifting = False
    try:
        rule = None if group.is_manual else rule_of(group, catalogue)
        if rule is not None:
            is_drifting = moves_by_itself(rule, catalogue)
            came, went = _settle(shape, group, matching(shape, group.tenant, rule, catalogue))
            _tell(shape, group, came, went)
    except RuleInvalid as error:
        log.error("groups.rule_broken", group=str(group.pk), errors=error.errors)
    group.recomputed_at = clock.now()
    group.member_count = shape.memberships._default_manager.filter(group_id=pk).count()
    if group.due_at == lease or lease is None:
        group.due_at = group.recomputed_at + (DRIFT_EVERY if is_drifting else CHECK_EVERY)
    group.save(update_fields=["recomputed_at", "member_count", "due_at"])
    return group


def _settle(
    shape: Shape, group: Group, chosen: QuerySet[Any]
) -> tuple[list[uuid.UUID], list[uuid.UUID]]:
    """Store the difference between the members and the chosen; returns who came and who went.

    The sets are compared here: two plain queries that no planner can get wrong, however fresh
    the tables are.
    """
    members = shape.memberships._default_manager.filter(group_id=group.pk)
    known = dict(members.values_list(f"{shape.member}_id", "pk"))
    wanted = set(chosen.order_by().values_list("pk", flat=True))
    came = sorted(wanted - known.keys())
    went = sorted(known.keys() - wanted)
    insert(shape, ((group.pk, pk) for pk in came))
    for start in range(0, len(went), INSERT):
        keys = [known[pk] for pk in went[start : start + INSERT]]
        shape.memberships._default_manager.filter(pk__in=keys).delete()
    return came, went


def insert(shape: Shape, pairs: Iterable[tuple[uuid.UUID, uuid.UUID]]) -> None:
    """Store memberships (group, member); one that another process stored meanwhile is no fault."""
    now, model = clock.now(), shape.memberships
    rows = [
        model(group_id=group, since=now, **{f"{shape.member}_id": member})
        for group, member in pairs
    ]
    model._default_manager.bulk_create(rows, batch_size=INSERT, ignore_conflicts=True)


@transaction.atomic
def refresh_due(shape: Shape, limit: int = BATCH) -> int:
    """Look at rows that changed, for all computed groups of their tenants; returns how many rows.

    Rows that somebody else holds are left for the next time, so that nobody waits for this.
    """
    due = shape.model._default_manager.filter(groups_due_at__lte=clock.now())
    locked = due.select_for_update(of=("self",), skip_locked=True).order_by("groups_due_at")
    found = list(locked.values_list("pk", "tenant_id")[:limit])
    for tenant_id in sorted({tenant for _pk, tenant in found}):
        ids = [pk for pk, tenant in found if tenant == tenant_id]
        shape.model._default_manager.filter(pk__in=ids).update(groups_due_at=None)
        _refresh(shape, Tenant.objects.get(pk=tenant_id), ids)
    return len(found)


def _refresh(shape: Shape, tenant: Tenant, ids: list[uuid.UUID]) -> None:
    """One query per group, and a constant number for all of them together."""
    catalogue = shape.catalogue(tenant.pk)
    rows = shape.groups.objects.computed().select_for_update(of=("self",))
    groups = list(rows.filter(tenant_id=tenant.pk).order_by("pk"))
    wanted: set[tuple[uuid.UUID, uuid.UUID]] = set()
    readable = []
    for group in groups:
        try:
            rule = rule_of(group, catalogue)
        except RuleInvalid as error:
            log.error("groups.rule_broken", group=str(group.pk), errors=error.errors)
            continue
        readable.append(group)
        chosen = matching(shape, tenant, rule, catalogue).filter(pk__in=ids)
        wanted |= {(group.pk, pk) for pk in chosen.values_list("pk", flat=True)}
    members = shape.memberships._default_manager.filter(
        **{"group__in": readable, f"{shape.member}_id__in": ids}
    )
    known = set(members.values_list("group_id", f"{shape.member}_id"))
    insert(shape, sorted(wanted - known))
    for group in readable:
        came = [pk for one, pk in wanted - known if one == group.pk]
        went = [pk for one, pk in known - wanted if one == group.pk]
        if not came and not went:
            continue
        members.filter(**{"group": group, f"{shape.member}_id__in": went}).delete()
        shape.groups.objects.filter(pk=group.pk).update(
            member_count=F("member_count") + len(came) - len(went)
        )
        _record(shape, group, came, went)
    if shape.key == "user":
        grouping.people_changed(ids)


def _tell(shape: Shape, group: Group, came: list[uuid.UUID], went: list[uuid.UUID]) -> None:
    _record(shape, group, came, went)
    if shape.key == "user" and (came or went):
        grouping.people_changed([*came, *went])


def _record(shape: Shape, group: Group, came: list[Any], went: list[Any]) -> None:
    # What built-in groups hold follows from what the history tells of each device anyway.
    if group.is_builtin or not (came or went):
        return
    data = {"came": len(came), "went": len(went)}
    history.record(group, shape.action("recomputed"), actor=SWEEP, data=data)


def touch(shape: Shape, ids: Iterable[uuid.UUID]) -> None:
    """Have rows looked at again soon, because something that rules may ask about has changed."""
    keys = list(ids)
    for start in range(0, len(keys), INSERT):
        rows = shape.model._default_manager.filter(pk__in=keys[start : start + INSERT])
        rows.update(groups_due_at=clock.now())
    ring()


def ring_for(group: Group) -> None:
    """Have a due group recomputed at once, where a worker listens."""
    if not group.is_manual:
        ring()


def ring() -> None:
    """Ask for a sweep after the commit."""
    from accounts.tasks import sweep_groups

    transaction.on_commit(sweep_groups.ring)


class Preview(NamedTuple):
    """What a rule would choose: how many, the first of them, and the rule as it was read."""

    rule: Branch
    total: int
    sample: list[Any]


def preview(*, shape: Shape, principal: Principal, rule: dict[str, Any]) -> Preview:
    """Return what a rule would choose now. Raises RuleInvalid, NotAllowedToAsk.

    Five queries at most.
    """
    check_may_ask(shape, principal)
    catalogue = shape.catalogue(principal.tenant_id)
    read = parse(rule, catalogue)
    rows = matching(shape, Tenant.objects.get(pk=principal.tenant_id), read, catalogue)
    seen: Any = rows.order_by("pk")[:SAMPLE]
    return Preview(read, rows.order_by().count(), list(seen))


def check_may_ask(shape: Shape, principal: Principal) -> None:
    """Let nobody find out by a rule what they may not see. Raises NotAllowedToAsk."""
    if not all(principal.has(name) for name in shape.view_permissions):
        raise NotAllowedToAsk


def of_tenant(tenant_id: uuid.UUID) -> Iterator[tuple[Shape, Group, dict[str, Any]]]:
    """Yield every group of a tenant that has a rule; one query per shape."""
    for shape in grouping.shapes():
        for group in shape.groups.objects.computed().filter(tenant_id=tenant_id):
            yield shape, group, group.rule


def asks_for_group(rule: dict[str, Any], shape: Shape, group: Group) -> bool:
    """Say whether a stored rule of `shape` asks for the members of a group."""
    own = grouping.shape_of(group)
    names = {
        name
        for name, field in shape.catalogue(group.tenant_id).items()
        if isinstance(field.source, Membership) and field.source.model is own.memberships
    }
    return any(
        one.get("field") in names and one.get("value") == str(group.pk) for one in _flat(rule)
    )


def asks_for_attribute(rule: dict[str, Any], catalogue: Catalogue, attribute_id: uuid.UUID) -> bool:
    """Say whether a stored rule asks for a custom attribute."""
    fields = (catalogue.get(str(one.get("field"))) for one in _flat(rule))
    return any(
        field is not None
        and isinstance(field.source, Attribute)
        and field.source.attribute_id == attribute_id
        for field in fields
    )


def _flat(rule: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for one in rule.get("rules", ()):
        if "rules" in one:
            yield from _flat(one)
        else:
            yield one


def in_words(shape: Shape, tenant_id: uuid.UUID, rule: dict[str, Any]) -> str:
    """Return a stored rule as one line of text, for the history."""
    catalogue = shape.catalogue(tenant_id)
    try:
        return described.line(parse(rule, catalogue), catalogue)
    except RuleInvalid as error:
        return str(error.message)

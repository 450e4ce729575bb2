"""Tidies up old device entries, by hand or on schedule, a limited number at a time."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from accounts.access import Principal
from core import clock, history
from core.actors import Actor
from core.errors import DomainError
from core.models import Tenant
from devices.errors import ActionNotAllowed
from devices.models import CleanupKind, CleanupRule, CleanupSchedule, Device
from devices.services import lifecycle, safeguards
from devices.states import DeviceState

S = DeviceState
LEASE = dt.timedelta(minutes=10)
PERIODS = {
    CleanupSchedule.DAILY: dt.timedelta(days=1),
    CleanupSchedule.WEEKLY: dt.timedelta(days=7),
    CleanupSchedule.MONTHLY: dt.timedelta(days=30),
}
FIELDS = ("days", "limit", "schedule")
_ACTOR = Actor.system("cleanup")


@dataclass(frozen=True, slots=True)
class Kind:
    """`chosen` narrows the entries of a tenant to those older than a moment; `act` is for one."""

    permission: str
    chosen: Callable[[QuerySet[Device], dt.datetime], QuerySet[Device]]
    act: Callable[[Device], object]


def _silent(rows: QuerySet[Device], before: dt.datetime) -> QuerySet[Device]:
    return rows.filter(state=S.ACTIVE, state_changed_at__lt=before).filter(
        Q(contact__last_seen_at__lt=before) | Q(contact__isnull=True)
    )


def _in(*states: str) -> Callable[[QuerySet[Device], dt.datetime], QuerySet[Device]]:
    def narrow(rows: QuerySet[Device], before: dt.datetime) -> QuerySet[Device]:
        return rows.filter(state__in=states, state_changed_at__lt=before)

    return narrow


def _retire(device: Device) -> object:
    return lifecycle.request_retire(device=device, actor=_ACTOR, reason=_("Silent for too long"))


def _close(device: Device) -> object:
    return lifecycle.transition(
        device_id=device.pk, to=S.RETIRED, actor=_ACTOR, data={"by": "cleanup"}
    )


def _delete(device: Device) -> object:
    return lifecycle.delete(device=device, actor=_ACTOR)


KINDS: dict[str, Kind] = {
    CleanupKind.RETIRE_SILENT: Kind("devices.retire", _silent, _retire),
    CleanupKind.CLOSE_RETIRE: Kind("devices.retire", _in(S.RETIRE_PENDING, S.RETIRE_SENT), _close),
    CleanupKind.DELETE_RETIRED: Kind("devices.delete", _in(S.RETIRED), _delete),
    CleanupKind.DELETE_WIPED: Kind("devices.delete", _in(S.WIPED), _delete),
    CleanupKind.DELETE_WIPE_PENDING: Kind("devices.delete", _in(S.WIPE_PENDING), _delete),
}


def rules(tenant: Tenant) -> list[CleanupRule]:
    """Return the rule of each kind; one that nobody has touched exists in memory only."""
    known = {rule.kind: rule for rule in CleanupRule.objects.filter(tenant=tenant)}
    return [known.get(kind) or CleanupRule(tenant=tenant, kind=kind) for kind in KINDS]


def due(rule: CleanupRule) -> QuerySet[Device]:
    """Return the entries that a run would take, the oldest first."""
    before = clock.now() - dt.timedelta(days=rule.days)
    rows = Device.objects.filter(tenant_id=rule.tenant_id, archived_at__isnull=True)
    return KINDS[rule.kind].chosen(rows, before).order_by("state_changed_at", "pk")


@transaction.atomic
def change(
    *, rule: CleanupRule, principal: Principal, actor: Actor, **fields: object
) -> CleanupRule:
    """Change days, limit or schedule. Raises ActionNotAllowed for what one may not do oneself."""
    _check(rule, principal)
    Tenant.objects.select_for_update().get(pk=rule.tenant_id)
    row, _created = CleanupRule.objects.get_or_create(tenant_id=rule.tenant_id, kind=rule.kind)
    wanted = {name: value for name, value in fields.items() if name in FIELDS}
    changed = history.changes({name: getattr(row, name) for name in wanted}, wanted)
    for name, value in wanted.items():
        setattr(row, name, value)
    if "schedule" in changed:
        period = PERIODS.get(CleanupSchedule(row.schedule))
        row.next_run_at = clock.now() + period if period else None
    row.full_clean()
    row.save()
    if changed:
        history.record(row, "devices.cleanup.changed", actor=actor, data=changed)
    return row


@transaction.atomic
def run_now(*, rule: CleanupRule, principal: Principal, actor: Actor) -> CleanupRule:
    """Let a worker run a rule at once. Raises ActionNotAllowed, Frozen."""
    from devices.tasks import run_cleanup

    _check(rule, principal)
    safeguards.refuse_while_frozen(rule.tenant_id)
    row, _created = CleanupRule.objects.get_or_create(
        tenant_id=rule.tenant_id,
        kind=rule.kind,
        defaults={name: getattr(rule, name) for name in FIELDS},
    )
    row.next_run_at = clock.now()
    row.save(update_fields=["next_run_at"])
    history.record(row, "devices.cleanup.ordered", actor=actor)
    transaction.on_commit(lambda: run_cleanup.ring(str(row.pk)))
    return row


def _check(rule: CleanupRule, principal: Principal) -> None:
    if not principal.has(KINDS[rule.kind].permission):
        raise ActionNotAllowed


def run(rule_id: uuid.UUID | str) -> int | None:
    """Run a rule that is due; None when another worker has it, or it is not due.

    Each entry has a transaction of its own: one that cannot be tidied up does not stop the others.
    """
    now = clock.now()
    claimed = CleanupRule.objects.filter(pk=rule_id, next_run_at__lte=now)
    if not claimed.update(next_run_at=now + LEASE):
        return None
    rule = CleanupRule.objects.get(pk=rule_id)
    if safeguards.of(rule.tenant_id).is_frozen:
        return 0
    act = KINDS[rule.kind].act
    count = sum(_tidied(act, device) for device in due(rule).select_related("tenant")[: rule.limit])
    _finish(rule, count)
    return count


def _tidied(act: Callable[[Device], object], device: Device) -> bool:
    try:
        act(device)
    except DomainError:
        # It changed in the meantime, or its channel does not know the order: it stays in the list.
        return False
    return True


@transaction.atomic
def _finish(rule: CleanupRule, count: int) -> None:
    now, period = clock.now(), PERIODS.get(CleanupSchedule(rule.schedule))
    CleanupRule.objects.filter(pk=rule.pk).update(
        next_run_at=now + period if period else None, last_run_at=now, last_count=count
    )
    if count:
        data = {"count": count, "days": rule.days}
        history.record(rule, "devices.cleanup.done", actor=_ACTOR, data=data)


def sweep() -> int:
    """Run every rule that is due; returns how many entries were tidied up."""
    rows = CleanupRule.objects.filter(next_run_at__lte=clock.now()).order_by("next_run_at")
    return sum(run(pk) or 0 for pk in list(rows.values_list("pk", flat=True)[:100]))

"""How the pushes of a certificate fare: paused by Apple's refusal, in trouble, or well."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import structlog
from django.db import transaction

from apple.gateways import apns
from apple.services import push_alerts, push_store
from core import clock, history
from core.actors import Actor
from core.models import StoredKey
from devices.models import Channel

# A paused certificate tries one push this often, so that a pause ends without anybody's help
# once Apple accepts it again.
PROBE_EVERY = dt.timedelta(hours=1)
# What goes well is noted now and then only; what goes wrong, when it changes.
NOTE_EVERY = dt.timedelta(hours=1)
RECENT = dt.timedelta(hours=24)

log = structlog.get_logger(__name__)


def moment(text: str | None) -> dt.datetime | None:
    """Read a time as `StoredKey.data` holds it."""
    return dt.datetime.fromisoformat(text) if text else None


def leaves_for_apple(row: StoredKey) -> bool:
    """Say whether pushes with this certificate may be sent at all: a practice certificate only
    ever talks to a service on this machine."""
    return not push_store.is_practice(row) or apns.is_loopback()


def probe_at(row: StoredKey) -> dt.datetime | None:
    """When a paused certificate may try again; None for one that is not paused."""
    return moment((row.data.get("paused") or {}).get("probe_at"))


def was_accepted_lately(row: StoredKey) -> bool:
    accepted = moment(row.data.get("accepted_at"))
    return accepted is not None and accepted > clock.now() - RECENT


@transaction.atomic
def pause(*, row_id: uuid.UUID, status: int, reason: str) -> None:
    """Stop the pushes of a certificate that Apple refuses, and tell the administrators once.

    What waits to be pushed keeps waiting.
    """
    row = StoredKey.objects.select_for_update(of=("self",)).select_related("tenant").get(pk=row_id)
    if row.retired_at is not None:
        return
    now = clock.now()
    paused = row.data.get("paused")
    is_new = paused is None
    paused = paused or {"since": now.isoformat()}
    paused |= {
        "status": status,
        "reason": reason or str(status),
        "probe_at": (now + PROBE_EVERY).isoformat(),
    }
    _save(row, paused=paused)
    if not is_new:
        return
    log.error("push.paused", tenant=str(row.tenant_id), status=status, reason=reason)
    data = {"status": status, "reason": reason, "topic": push_store.topic_of(row)}
    history.record(row, "apple.push.paused", actor=Actor.system("push"), data=data)
    push_alerts.tell_paused(row, reason=paused["reason"])


@transaction.atomic
def claim_probe(row_id: uuid.UUID) -> bool:
    """Let exactly one caller try a paused certificate; the next try is an hour later."""
    row = StoredKey.objects.select_for_update().get(pk=row_id)
    due, now = probe_at(row), clock.now()
    if due is None or due > now:
        return False
    _save(row, paused=row.data["paused"] | {"probe_at": (now + PROBE_EVERY).isoformat()})
    return True


@transaction.atomic
def resume(*, row: StoredKey, actor: Actor) -> None:
    """End the pause and push at once what waited. Safe to call twice."""
    row = StoredKey.objects.select_for_update().get(pk=row.pk)
    paused = row.data.get("paused")
    if paused is None:
        return
    _save(row, paused=None, trouble=None)
    data = {"reason": paused["reason"], "since": paused["since"]}
    history.record(row, "apple.push.resumed", actor=actor, data=data)
    release_waiting(tenant_id=row.tenant_id, topic=push_store.topic_of(row))


def release_waiting(*, tenant_id: uuid.UUID, topic: str) -> int:
    """Make every push that waits on a topic due now; returns how many."""
    waiting = Channel.objects.filter(
        device__tenant_id=tenant_id, push_topic=topic, push_due_at__isnull=False
    )
    return waiting.update(push_due_at=clock.now(), push_failures=0)


def note_outcome(*, row: StoredKey, has_success: bool, trouble: str) -> None:
    """Remember what a batch showed: that Apple accepts us, or what went wrong on the way.

    No query when it tells nothing new, as judged by `row`; otherwise two.
    """
    if not _news(row, has_success=has_success, trouble=trouble):
        return
    with transaction.atomic():
        fresh = StoredKey.objects.select_for_update().get(pk=row.pk)
        news = _news(fresh, has_success=has_success, trouble=trouble)
        if news:
            _save(fresh, **news)
    row.data = fresh.data


def _news(row: StoredKey, *, has_success: bool, trouble: str) -> dict[str, Any]:
    now, known = clock.now(), row.data.get("trouble") or {}
    news: dict[str, Any] = {}
    if has_success:
        accepted = moment(row.data.get("accepted_at"))
        if accepted is None or accepted < now - NOTE_EVERY:
            news["accepted_at"] = now.isoformat()
        if known:
            news["trouble"] = None
    elif trouble and known.get("reason") != trouble:
        news["trouble"] = {"reason": trouble, "since": now.isoformat()}
        log.warning("push.trouble", tenant=str(row.tenant_id), reason=trouble)
    return news


def _save(row: StoredKey, **changes: Any) -> None:
    # None removes an entry. The row is locked by the caller.
    data = row.data | changes
    row.data = {name: value for name, value in data.items() if value is not None}
    row.save(update_fields=["data"])

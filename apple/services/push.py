"""Wakes channels: notes that a push is due, and finds those that nobody has heard of lately."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable

from django.db import transaction
from django.db.models import Case, DateTimeField, Exists, F, OuterRef, QuerySet, Value, When

from core import clock
from core.actors import Actor
from devices.models import Channel, ChannelState, Command
from devices.states import MANAGED

# Several orders within this time are one push: Apple keeps one notification per device anyway.
COALESCE = dt.timedelta(seconds=2)
SILENT_AFTER = dt.timedelta(hours=24)
FORGOTTEN_AFTER = dt.timedelta(minutes=20)
PAGE = 500


def wake(channel: Channel, *, actor: Actor | None = None) -> None:
    """Note, in the caller's transaction, that the channel is to be pushed, and tell a worker.

    Never talks to Apple itself. A channel that backs off after failures keeps its time; one
    whose token is broken, or that is not active, is left alone. One query.
    """
    if not _due_now(Channel.objects.filter(pk=channel.pk)):
        return
    was_just_pushed = channel.pushed_at and channel.pushed_at > clock.now() - COALESCE
    delay = COALESCE.total_seconds() if was_just_pushed else 0.0
    from apple.tasks import push_channel

    transaction.on_commit(lambda: push_channel.ring(str(channel.pk), after_seconds=delay))


def wake_all(channel_ids: Iterable[uuid.UUID]) -> int:
    """Wake many channels with one query and one ring per 500 of them; returns how many."""
    from apple.tasks import sweep_pushes

    ids = list(channel_ids)
    count = sum(
        _due_now(Channel.objects.filter(pk__in=ids[start : start + PAGE]))
        for start in range(0, len(ids), PAGE)
    )
    if count:
        transaction.on_commit(sweep_pushes.ring)
    return count


def wake_silent(limit: int = 5000) -> int:
    """Wake devices that were silent for a day, and channels whose orders nobody pushes any more.

    A push can get lost on its way, and Apple never says so. At most one such push a day for a
    silent device. Page by page; returns how many were woken.
    """
    now = clock.now()
    reachable = (
        Channel.objects.filter(state=ChannelState.ACTIVE, push_broken_reason="")
        .filter(push_due_at__isnull=True, device__archived_at__isnull=True)
        .filter(device__state__in=MANAGED)
        .exclude(sealed_push=b"")
    )
    silent = reachable.filter(
        user_key="", device__contact__last_seen_at__lt=now - SILENT_AFTER
    ).exclude(pushed_at__gte=now - SILENT_AFTER)
    forgotten = reachable.filter(has_open_orders()).exclude(pushed_at__gte=now - FORGOTTEN_AFTER)
    return sum(_wake_pages(found, limit) for found in (silent, forgotten))


def has_open_orders() -> Exists:
    return Exists(Command.objects.open().filter(channel_id=OuterRef("pk")))


def _wake_pages(found: QuerySet[Channel], limit: int) -> int:
    woken = 0
    while woken < limit:
        ids = list(found.order_by("pk").values_list("pk", flat=True)[:PAGE])
        count = _due_now(Channel.objects.filter(pk__in=ids)) if ids else 0
        if not count:
            break
        woken += count
    return woken


def _due_now(channels: QuerySet[Channel]) -> int:
    now = clock.now()
    backs_off = When(push_failures__gt=0, push_due_at__isnull=False, then=F("push_due_at"))
    was_just_pushed = When(pushed_at__gt=now - COALESCE, then=Value(now + COALESCE))
    return (
        channels.filter(state=ChannelState.ACTIVE, push_broken_reason="")
        .exclude(sealed_push=b"")
        .update(
            push_attempts=0,
            push_due_at=Case(
                backs_off, was_just_pushed, default=Value(now), output_field=DateTimeField()
            ),
        )
    )

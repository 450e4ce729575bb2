"""Sends the pushes that are due, and does what each answer of Apple's obliges us to."""

from __future__ import annotations

import datetime as dt
import random
import time
import uuid
from collections import defaultdict
from collections.abc import Sequence

import structlog

from apple.gateways import apns
from apple.protocol.push_rules import Verdict, judge
from apple.services import push, push_health, push_settle, push_store, tokens
from core import clock
from core.actors import Actor
from core.models import StoredKey
from core.pki.errors import PkiError
from core.secrets import SecretError
from devices.models import Channel

BATCH = 500
# A sweep ends well before the time limit of a task; the next one goes on with what is left.
SWEEP_SECONDS = 90
# Longer than the slowest batch: 500 pushes, 50 at a time, each with its own time limit.
LEASE = dt.timedelta(seconds=240)
NO_CERTIFICATE_WAIT = dt.timedelta(hours=1)
PAUSED_WAIT = dt.timedelta(minutes=10)
# How many pushes a certificate that is not known to work may try before the rest follow. More
# than one, because one device with a bad token must not speak for the certificate.
CANARIES = 3

log = structlog.get_logger(__name__)


def sweep() -> int:
    """Push everything that is due, in batches; returns how many pushes Apple accepted."""
    accepted, ends = 0, time.monotonic() + SWEEP_SECONDS
    while time.monotonic() < ends:
        claimed = _claim()
        accepted += _push_claimed(claimed)
        if len(claimed) < BATCH:
            break
    return accepted


def push_one(channel_id: uuid.UUID | str) -> bool:
    """Push one channel if it is due and nobody else is at it."""
    return bool(_push_claimed(_claim(pk=channel_id)))


def _claim(**only: object) -> list[Channel]:
    """Lease what is due to this caller; the lease's own moment is its mark. Three queries."""
    now = clock.now()
    lease = now + LEASE + dt.timedelta(microseconds=random.randrange(1_000_000))  # noqa: S311
    due = Channel.objects.push_due(now).filter(**only).order_by("push_due_at")
    ids = list(due.values_list("pk", flat=True)[:BATCH])
    if not ids:
        return []
    Channel.objects.push_due(now).filter(pk__in=ids).update(push_due_at=lease)
    claimed = Channel.objects.filter(pk__in=ids, push_due_at=lease)
    return list(claimed.select_related("device").order_by("push_failures", "pk"))


def _push_claimed(claimed: list[Channel]) -> int:
    wanted = _without_reason_dropped(claimed)
    groups: defaultdict[tuple[uuid.UUID, str], list[Channel]] = defaultdict(list)
    for channel in wanted:
        groups[channel.device.tenant_id, channel.push_topic].append(channel)
    return sum(
        _push_group(_row_for(tenant_id, topic), group)
        for (tenant_id, topic), group in groups.items()
    )


def _without_reason_dropped(claimed: list[Channel]) -> list[Channel]:
    """Stop repeating pushes to channels on which nothing waits any more, or that ended."""
    repeated = [channel.pk for channel in claimed if channel.push_attempts]
    waiting: set[uuid.UUID] = set()
    if repeated:
        found = Channel.objects.filter(push.has_open_orders(), pk__in=repeated)
        waiting = set(found.values_list("pk", flat=True))
    wanted = [
        channel
        for channel in claimed
        if channel.device.is_managed and (not channel.push_attempts or channel.pk in waiting)
    ]
    kept = {channel.pk for channel in wanted}
    push_settle.clear([channel for channel in claimed if channel.pk not in kept])
    return wanted


def _row_for(tenant_id: uuid.UUID, topic: str) -> StoredKey | None:
    now = clock.now()
    for row in push_store.certificates(tenant_id):
        if push_store.topic_of(row) == topic and row.not_after and row.not_after > now:
            return row
    return None


def _push_group(row: StoredKey | None, group: list[Channel]) -> int:
    """Push the channels of one certificate; a certificate in doubt goes ahead with a few."""
    if row is None:
        push_settle.park(group, until=clock.now() + NO_CERTIFICATE_WAIT)
        return 0
    if not push_health.leaves_for_apple(row):
        push_settle.clear(group)
        return 0
    is_paused = push_health.probe_at(row) is not None
    if is_paused and not push_health.claim_probe(row.pk):
        push_settle.park(group, until=clock.now() + PAUSED_WAIT)
        return 0
    if not is_paused and push_health.was_accepted_lately(row):
        return _send(row, group, is_proven=True)[0]
    accepted, is_refused = _send(row, group[:CANARIES], is_proven=False)
    rest = group[CANARIES:]
    if is_refused or (is_paused and not accepted):
        push_settle.park(rest, until=clock.now() + PAUSED_WAIT)
        return accepted
    if is_paused:
        push_health.resume(row=row, actor=Actor.system("push"))
    return accepted + _send(row, rest, is_proven=bool(accepted))[0]


def _send(row: StoredKey, channels: Sequence[Channel], *, is_proven: bool) -> tuple[int, bool]:
    """Send, settle every answer; returns how many were accepted, and whether the certificate was
    refused and is paused now."""
    addressed = _addressed(channels)
    if not addressed:
        return 0, False
    try:
        credentials = push_store.credentials_of(row)
    except (SecretError, PkiError, TypeError, ValueError):
        log.exception("push.certificate_unusable", certificate=str(row.pk))
        push_health.pause(row_id=row.pk, status=0, reason="certificate_unusable")
        push_settle.park(list(channels), until=clock.now() + PAUSED_WAIT)
        return 0, True
    results = apns.send(credentials, [one for _channel, one in addressed])
    answers = [
        push_settle.Answer(channel, result, judge(result.status, result.reason))
        for (channel, _push), result in zip(addressed, results, strict=True)
    ]
    accepted = sum(answer.verdict is Verdict.ACCEPTED for answer in answers)
    refusal = push_settle.settle(answers, is_proven=is_proven or accepted > 0)
    trouble = next((one.result.reason for one in answers if one.result.status == 0), "")
    push_health.note_outcome(row=row, has_success=accepted > 0, trouble=trouble)
    if refusal is not None:
        push_health.pause(row_id=row.pk, status=refusal.status, reason=refusal.reason)
    return accepted, refusal is not None


def _addressed(channels: Sequence[Channel]) -> list[tuple[Channel, apns.Push]]:
    """Open the tokens; a channel without a usable one has nothing to be pushed to."""
    found: list[tuple[Channel, apns.Push]] = []
    for channel in channels:
        try:
            opened = tokens.open_push(channel)
        except SecretError:
            log.error("push.token_sealed_under_another_key", channel=str(channel.pk))
            opened = None
        if opened is not None:
            address = apns.Push(opened.token, opened.magic, channel.push_topic)
            found.append((channel, address))
    addressed = {channel.pk for channel, _push in found}
    push_settle.clear([channel for channel in channels if channel.pk not in addressed])
    return found

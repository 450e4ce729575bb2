"""Writes what became of pushes: repeated later, put off, given up until a new token comes.

Every write compares the lease under which the push was sent: who woke the channel, or sent a new
token, in the meantime has the last word.
"""

from __future__ import annotations

import datetime as dt
import random
import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import structlog
from django.db.models import Case, DateTimeField, Value, When

from apple.gateways.apns import PushResult
from apple.protocol.push_rules import REPEATS, Verdict, next_push, retry_delay
from apple.services import push
from core import clock, history
from core.actors import Actor
from devices.models import Channel

MAX_COUNT = 1000

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    channel: Channel
    result: PushResult
    verdict: Verdict


def settle(answers: Sequence[Answer], *, is_proven: bool) -> PushResult | None:
    """Write every answer; returns the refusal of the certificate itself, if there was one.

    `is_proven` says that Apple accepts this certificate: then a token of another topic is that
    one device's fault, and otherwise it is the certificate's.
    """
    _accepted([answer.channel for answer in answers if answer.verdict is Verdict.ACCEPTED])
    refusal = None
    for answer in answers:
        verdict, result = answer.verdict, answer.result
        if verdict is Verdict.OTHER_TOPIC:
            verdict = Verdict.BROKEN if is_proven else Verdict.REFUSED
        if verdict is Verdict.BROKEN:
            _give_up(answer.channel, result.reason, forget=False)
        elif verdict is Verdict.GONE and _is_about_this_token(answer):
            _give_up(answer.channel, result.reason or "Unregistered", forget=True)
        elif verdict is not Verdict.ACCEPTED:
            _put_off(answer.channel, verdict, result)
        if verdict is Verdict.REFUSED:
            refusal = refusal or result
        if verdict is Verdict.MISTAKE:
            log.error("push.mistake", status=result.status, reason=result.reason)
    return refusal


def clear(channels: Iterable[Channel]) -> None:
    """Stop pushing channels: nothing waits on them, or nothing can reach them."""
    for lease, ids in _by_lease(channels).items():
        Channel.objects.filter(pk__in=ids, push_due_at=lease).update(
            push_due_at=None, push_attempts=0, push_failures=0
        )


def park(channels: Iterable[Channel], *, until: dt.datetime) -> None:
    """Keep pushes waiting that cannot be sent now, spread over the minute after `until`."""
    spread = dt.timedelta(seconds=random.uniform(0, 60))  # noqa: S311
    for lease, ids in _by_lease(channels).items():
        Channel.objects.filter(pk__in=ids, push_due_at=lease).update(push_due_at=until + spread)


def _by_lease(channels: Iterable[Channel]) -> dict[dt.datetime | None, list[uuid.UUID]]:
    grouped: defaultdict[dt.datetime | None, list[uuid.UUID]] = defaultdict(list)
    for channel in channels:
        grouped[channel.push_due_at].append(channel.pk)
    return grouped


def _accepted(channels: Sequence[Channel]) -> None:
    """Push again later while orders wait, ever more rarely; otherwise be done."""
    if not channels:
        return
    now = clock.now()
    Channel.objects.filter(pk__in=[channel.pk for channel in channels]).update(pushed_at=now)
    stages: defaultdict[int, list[Channel]] = defaultdict(list)
    for channel in channels:
        stages[min(channel.push_attempts + 1, len(REPEATS))].append(channel)
    for stage, members in stages.items():
        again = When(push.has_open_orders(), then=Value(now + next_push(stage)))
        for lease, ids in _by_lease(members).items():
            Channel.objects.filter(pk__in=ids, push_due_at=lease).update(
                push_attempts=stage,
                push_failures=0,
                push_due_at=Case(again, default=None, output_field=DateTimeField()),
            )


def _put_off(channel: Channel, verdict: Verdict, result: PushResult) -> None:
    failures = min(channel.push_failures + 1, MAX_COUNT)
    delay = retry_delay(verdict, failures, result.retry_after)
    Channel.objects.filter(pk=channel.pk, push_due_at=channel.push_due_at).update(
        push_failures=failures, push_due_at=clock.now() + delay
    )


def _is_about_this_token(answer: Answer) -> bool:
    """Say whether a 410 came after the token; an older one is about a token that is history."""
    since, dead_at = answer.channel.token_updated_at, answer.result.timestamp
    return dead_at is not None and (since is None or dead_at >= since)


def _give_up(channel: Channel, reason: str, *, forget: bool) -> None:
    """Mark the channel unreachable until the device sends a new token; it stays enrolled."""
    same_token = Channel.objects.filter(pk=channel.pk, token_updated_at=channel.token_updated_at)
    changes: dict[str, object] = {"push_broken_reason": reason, "push_due_at": None}
    if forget:
        changes |= {"sealed_push": b"", "push_token_sha256": ""}
    if same_token.update(push_failures=0, push_attempts=0, **changes):
        history.record(
            channel.device,
            "apple.push.lost",
            actor=Actor.system("push"),
            data={"reason": reason, "channel": str(channel)},
        )

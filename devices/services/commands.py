"""The command queue: queue, hand out, take results, expire, cancel."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet, Subquery

from core import clock, history, secrets
from core.actors import Actor
from devices import channels, handlers
from devices.models import Channel, Command, CommandRank, Device
from devices.states import COMMAND_TRANSITIONS, OPEN_COMMANDS, CommandStatus

DEFAULT_DEADLINE = dt.timedelta(days=7)
MAX_RESENDS = 10
BATCH = 4
# Two connections of one device at once must not both get the same fresh command.
RESEND_AFTER = dt.timedelta(seconds=20)


@dataclass(frozen=True)
class Result:
    """What a device answered: its verdict, error chain, and what to keep and to hand on."""

    status: CommandStatus
    error: list[dict[str, Any]] = field(default_factory=list)
    summary: dict[str, Any] = field(default_factory=dict)
    raw: dict[str, Any] = field(default_factory=dict)
    # Returns what to keep of the answer for people to read, without its secrets.
    keep: Callable[[Command], bytes] | None = None


@transaction.atomic
def enqueue(
    *,
    channel: Channel,
    kind: str,
    actor: Actor,
    params: dict[str, Any] | None = None,
    secret_params: dict[str, Any] | None = None,
    reason: str = "",
    deadline: dt.timedelta = DEFAULT_DEADLINE,
    desired_key: str = "",
    rank: int = CommandRank.NORMAL,
) -> Command:
    """Queue a command on a channel and wake the device.

    With a `desired_key` an open command of that key is returned instead of a second one.
    `secret_params` is JSON and sealed. Three queries, plus what waking needs.
    """
    device = channel.device
    if desired_key:
        existing = channel.commands.open().filter(desired_key=desired_key).first()
        if existing:
            channels.backend_of(device.channel_kind).wake(channel)
            return existing
    command = Command(
        tenant_id=device.tenant_id,
        device=device,
        channel=channel,
        kind=kind,
        params=params or {},
        epoch=device.epoch,
        desired_key=desired_key,
        rank=rank,
        requested_by=actor.as_dict(),
        reason=reason[:500],
        deadline_at=clock.now() + deadline,
    )
    if secret_params:
        command.sealed_params = secrets.seal(
            json.dumps(secret_params).encode(), context=f"command:{command.pk}"
        )
    try:
        with transaction.atomic():
            command.save(force_insert=True)
    except IntegrityError:
        # Two requests with one desired key at once: the other one's command is the command.
        return channel.commands.open().get(desired_key=desired_key)
    channels.backend_of(device.channel_kind).wake(channel)
    return command


@transaction.atomic
def enqueue_all(
    *,
    channel: Channel,
    kinds: Sequence[str],
    actor: Actor,
    deadline: dt.timedelta = DEFAULT_DEADLINE,
    rank: int = CommandRank.BACKGROUND,
) -> None:
    """Queue commands that take no parameters, each unless one of its kind is open, and wake once.

    One query for any number, plus what waking needs.
    """
    device = channel.device
    now = clock.now()
    rows = [
        Command(
            tenant_id=device.tenant_id,
            device=device,
            channel=channel,
            kind=kind,
            epoch=device.epoch,
            desired_key=kind,
            rank=rank,
            requested_by=actor.as_dict(),
            deadline_at=now + deadline,
        )
        for kind in kinds
    ]
    # An open command of the same desired key is what the constraint refuses.
    Command.objects.bulk_create(rows, ignore_conflicts=True)
    channels.backend_of(device.channel_kind).wake(channel)


def secret_params(command: Command) -> dict[str, Any]:
    """Return the sealed parameters of a command."""
    if not command.sealed_params:
        return {}
    return json.loads(secrets.unseal(command.sealed_params, context=f"command:{command.pk}"))


def waiting(channel_id: uuid.UUID, *, with_not_now: bool) -> QuerySet[Command]:
    """Return what a channel may be given now, in order: handed out already, then by rank."""
    statuses = [CommandStatus.SENT, CommandStatus.QUEUED]
    if with_not_now:
        statuses.append(CommandStatus.NOT_NOW)
    return (
        Command.objects.filter(channel_id=channel_id, status__in=statuses)
        .select_related("device", "channel")
        .order_by("rank", "created_at", "id")
    )


def _lock_device(device_id: uuid.UUID | Subquery) -> None:
    # Everything that moves commands takes the device's row first, as the moves of the entry do:
    # one order of locks, no deadlock, and one conversation per device at a time.
    Device.objects.select_for_update(of=("self",), no_key=True).filter(pk=device_id).first()


def _device_of(channel: Channel) -> Subquery:
    return Subquery(Channel.objects.filter(pk=channel.pk).values("device_id"))


@transaction.atomic
def hand_out(*, channel: Channel, is_idle: bool) -> Command | None:
    """Choose the next command of a channel and mark it sent, or return None.

    `is_idle` says that the device opened a conversation: then commands that it answered NotNow,
    and commands that it was given but never answered, are offered again with the same UUID. A
    command of an older epoch, of an ended device, or past its deadline is never handed out; retire
    and wipe not while the tenant's orders are frozen.
    """
    _lock_device(_device_of(channel))
    now = clock.now()
    for command in _few_at_a_time(waiting(channel.pk, with_not_now=is_idle)):
        device = command.device
        if command.epoch != device.epoch or not device.is_managed:
            _close(command, CommandStatus.CANCELLED, now)
        elif command.rank == CommandRank.ORDER and _is_frozen(device):
            continue
        elif command.deadline_at <= now:
            _expire(command, now)
        elif command.status == CommandStatus.SENT and not is_idle and not _is_stale(command, now):
            continue
        elif command.sent_count > MAX_RESENDS:
            _expire(command, now)
        elif _send(command, now):
            return command
    return None


def _is_frozen(device: Device) -> bool:
    from devices.services import safeguards

    # Under the lock: once a freeze is there, nothing destructive leaves any more.
    return safeguards.locked(device.tenant_id).is_frozen


def _few_at_a_time(queue: QuerySet[Command]) -> Iterator[Command]:
    # Mostly the first command is it, and a queue may be long.
    seen: list[uuid.UUID] = []
    while batch := list(queue.exclude(pk__in=seen)[:BATCH]):
        seen += [command.pk for command in batch]
        yield from batch


def _is_stale(command: Command, now: dt.datetime) -> bool:
    return command.sent_at is None or command.sent_at <= now - RESEND_AFTER


def _send(command: Command, now: dt.datetime) -> bool:
    is_first = command.sent_at is None
    # NotNow is an answer: only repeated silence counts towards giving up.
    silent = command.status != CommandStatus.NOT_NOW
    count = F("sent_count") + 1 if silent else 1
    sent = Command.objects.filter(pk=command.pk, status__in=OPEN_COMMANDS).update(
        status=CommandStatus.SENT, sent_at=now, sent_count=count
    )
    if not sent:
        return False
    command.status, command.sent_at = CommandStatus.SENT, now
    if is_first:
        handlers.handler_of(command.kind).on_sent(command)
    return True


@transaction.atomic
def record_result(*, channel: Channel, command_id: uuid.UUID, result: Result) -> Command | None:
    """Take a device's answer; None when it changes nothing (unknown, late or a repetition).

    Exactly one answer finishes a command; its handler runs in the same transaction, so that what
    the device will forget after our 200 is safe before it.
    """
    _lock_device(_device_of(channel))
    command: Command | None = (
        Command.objects.select_for_update(of=("self",))
        .select_related("device", "channel")
        .filter(pk=command_id, channel_id=channel.pk)
        .first()
    )
    if command is None or result.status not in COMMAND_TRANSITIONS[command.status]:
        return None
    now = clock.now()
    if result.status == CommandStatus.NOT_NOW:
        Command.objects.filter(pk=command.pk).update(
            status=CommandStatus.NOT_NOW, not_now_at=now, not_now_count=F("not_now_count") + 1
        )
        command.status = CommandStatus.NOT_NOW
        return command
    command.error, command.result = result.error, result.summary
    command.status = result.status
    command.answer = result.keep(command) if result.keep else b""
    _close(command, result.status, now)
    if command.epoch == command.device.epoch:
        handler = handlers.handler_of(command.kind)
        if result.status == CommandStatus.ACKNOWLEDGED:
            handler.on_acknowledged(command, result.raw)
        else:
            handler.on_failed(command)
    return command


def _close(command: Command, status: str, now: dt.datetime) -> None:
    command.status, command.finished_at, command.sealed_params = status, now, b""
    command.save(
        update_fields=["status", "finished_at", "sealed_params", "error", "result", "answer"]
    )


def _expire(command: Command, now: dt.datetime) -> None:
    _close(command, CommandStatus.EXPIRED, now)
    history.record(
        command.device,
        "devices.command.expired",
        actor=Actor.system("deadlines"),
        data={"command": command.kind, "uuid": command.wire_uuid},
    )
    handlers.handler_of(command.kind).on_expired(command)


@transaction.atomic
def expire(command_id: uuid.UUID) -> bool:
    """End one command whose deadline passed; safe to call twice."""
    now = clock.now()
    _lock_device(Subquery(Command.objects.filter(pk=command_id).values("device_id")))
    command = (
        Command.objects.select_for_update(of=("self",))
        .select_related("device", "channel")
        .overdue(now)
        .filter(pk=command_id)
        .first()
    )
    if command is None:
        return False
    _expire(command, now)
    return True


def expire_due(limit: int = 500) -> int:
    """End every command whose deadline passed; returns how many."""
    due = Command.objects.overdue(clock.now()).order_by("deadline_at").values_list("pk", flat=True)
    return sum(expire(pk) for pk in list(due[:limit]))


@transaction.atomic
def cancel_all(device: Device, *, actor: Actor, but: Command | None = None) -> int:
    """Cancel everything open on a device and write how much in the history."""
    rows = device.commands.open()
    if but is not None:
        rows = rows.filter(~Q(pk=but.pk))
    kinds = list(rows.values_list("kind", flat=True))
    if not kinds:
        return 0
    rows.update(status=CommandStatus.CANCELLED, finished_at=clock.now(), sealed_params=b"")
    history.record(device, "devices.queue.cancelled", actor=actor, data={"commands": sorted(kinds)})
    return len(kinds)

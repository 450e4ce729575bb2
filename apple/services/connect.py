"""The command channel: takes results, hands out the next command."""

from __future__ import annotations

import uuid
from dataclasses import asdict
from functools import partial

import structlog

from apple.commands import registry
from apple.commands.base import CommandError
from apple.errors import ForeignCommand
from apple.protocol import envelope
from apple.protocol.results import ConnectMessage, Status
from apple.services import authentication, bindings, lines, orders, polls, raw
from apple.services.authentication import Proof
from apple.services.late_secrets import secrets_of
from apple.services.lines import Line
from apple.services.polls import Poll
from devices.models import Channel, Command, Device
from devices.services import commands, contact
from devices.states import CommandStatus

log = structlog.get_logger(__name__)

NOTHING = b""
# Commands that cannot be built for a device are failed on the way; not more than this at once.
MAX_UNBUILDABLE = 20
_STATUSES = {
    Status.ACKNOWLEDGED: CommandStatus.ACKNOWLEDGED,
    Status.ERROR: CommandStatus.ERROR,
    Status.COMMAND_FORMAT_ERROR: CommandStatus.ERROR,
    Status.NOT_NOW: CommandStatus.NOT_NOW,
}


def exchange(*, proof: Proof, message: ConnectMessage) -> bytes:
    """Take what a device says and return the next command, or no bytes for "nothing more".

    An idle poll without work costs one query, and once a minute a second one for the last
    contact. Raises ManagementEnded, IdentityRefused, UnknownIdentity, IdentityMismatch,
    StaleIdentity, ForeignCommand, UserNotManaged.
    """
    poll = polls.find(proof.certificate_sha256, message.enrollment)
    if poll is None:
        poll = _look_closely(proof, message)
    if poll is None:
        return NOTHING
    contact.seen(poll.device_id, last_seen_at=poll.last_seen_at)
    is_idle = message.status is Status.IDLE
    if not is_idle:
        _take(poll, message)
    elif not poll.line.has_work:
        lines.rest(poll.line)
        return NOTHING
    return _next(poll.line, is_idle=is_idle)


def _look_closely(proof: Proof, message: ConnectMessage) -> Poll | None:
    """Judge a caller about whom something is not in order; None for one that is not served."""
    identity = authentication.identify(proof).identity
    device = bindings.device_of(identity, message.enrollment)
    if not bindings.is_served(device):
        return None
    orders.reconsider(device)
    last_seen_at = device.contact.last_seen_at if hasattr(device, "contact") else None
    line = lines.find(device, message.enrollment)
    return Poll(device_id=device.pk, last_seen_at=last_seen_at, line=line)


def _take(poll: Poll, message: ConnectMessage) -> None:
    command_id = _uuid(message.command_uuid)
    if command_id is None:
        log.info("apple.result.unknown", device=str(poll.device_id))
        return
    taken = commands.record_result(
        channel=Channel(pk=poll.line.channel_id),
        command_id=command_id,
        result=commands.Result(
            status=_STATUSES[message.status],
            error=[asdict(error) for error in message.errors],
            raw=dict(message.body),
            keep=partial(raw.pack, body=message.body),
        ),
    )
    if taken is None:
        _check_not_foreign(poll.device_id, command_id)
    elif message.status is Status.COMMAND_FORMAT_ERROR:
        # The device could not read what we built: a fault of the server.
        log.error("apple.command.malformed", kind=taken.kind, command=str(command_id))


def _check_not_foreign(device_id: uuid.UUID, command_id: uuid.UUID) -> None:
    # Late, repeated and cancelled answers are normal, also those from before a new enrollment.
    owner = Command.objects.filter(pk=command_id).values_list("device__physical_id", flat=True)
    physical_id = owner.first()
    if physical_id is None:
        return
    device = Device.objects.get(pk=device_id)
    if physical_id != device.physical_id:
        bindings.audit(device, "apple.result.refused", command=str(command_id))
        raise ForeignCommand


def _next(line: Line, *, is_idle: bool) -> bytes:
    channel = Channel(pk=line.channel_id)
    for _ in range(MAX_UNBUILDABLE):
        command = commands.hand_out(channel=channel, is_idle=is_idle)
        if command is None:
            break
        try:
            body = build(command)
        except CommandError as error:
            _fail(channel, command, error)
        else:
            return envelope.command(command.wire_uuid, body)
    lines.rest_or_push_later(line)
    return NOTHING


def build(command: Command) -> dict[str, object]:
    """Return the Command dictionary as the device is to get it. Raises CommandError."""
    target = lines.target_of(command.device, command.channel)
    sealed = commands.secret_params(command) | secrets_of(command.device, command.kind)
    return registry.get(command.kind).build(target, command.params, sealed)


def _fail(channel: Channel, command: Command, error: CommandError) -> None:
    # Desired state is judged when it is delivered: the system may be too old by now, or too new.
    log.warning("apple.command.unbuildable", kind=command.kind, error=str(error))
    reason = {"domain": "muster", "code": 0, "description": str(error)}
    result = commands.Result(status=CommandStatus.ERROR, error=[reason])
    commands.record_result(channel=channel, command_id=command.pk, result=result)


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None

"""Takes one command back."""

from __future__ import annotations

from django.db import transaction

from core import clock, history
from core.actors import Actor
from devices.errors import CommandFinished, CommandIsOrder
from devices.models import Command, CommandRank
from devices.services import lifecycle
from devices.states import OPEN_COMMANDS, CommandStatus


@transaction.atomic
def cancel(*, command: Command, actor: Actor, reason: str = "") -> Command:
    """Take one command out of a device's queue; one that the device has may be done all the same.

    Raises CommandIsOrder for a retire or wipe, CommandFinished for one that is over.
    """
    # The device's row comes first, as everywhere else: one order of locks.
    lifecycle.locked(command.device_id)
    command = Command.objects.select_for_update(of=("self",)).get(pk=command.pk)
    if command.status not in OPEN_COMMANDS:
        raise CommandFinished
    if command.rank == CommandRank.ORDER:
        raise CommandIsOrder
    command.status, command.finished_at = CommandStatus.CANCELLED, clock.now()
    command.sealed_params = b""
    command.save(update_fields=["status", "finished_at", "sealed_params"])
    data = {"command": command.kind, "uuid": command.wire_uuid}
    history.record(
        command.device,
        "devices.command.cancelled",
        actor=actor,
        data=data | ({"reason": reason} if reason else {}),
    )
    return command

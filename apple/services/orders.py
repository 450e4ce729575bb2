"""What happens when a command to an Apple device moves: inventory, retire, wipe, lock."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from typing import Any

from apple.commands import registry
from apple.commands.base import Outcome
from apple.services import inventory
from core import clock, history
from core.actors import Actor
from devices.handlers import SilentHandler
from devices.models import Command, CommandRank, Device
from devices.services import lifecycle, lost_mode
from devices.states import CommandStatus, DeviceState

S = DeviceState
RETIRE_KEY = "retire"
WIPE_KEY = "wipe"
LOCK_KEY = "lock"
# After RemoveProfile was handed out a silent device has obeyed: its profile, and with it the way
# back to us, is gone.
RETIRED_AFTER = dt.timedelta(hours=24)
# A Mac may answer EraseDevice with an error and erase itself all the same; one that still talks
# after this time has not.
STILL_THERE_AFTER = dt.timedelta(minutes=10)


class QueryHandler(SilentHandler):
    """Commands that ask: what they bring goes to the inventory and to the command's own row."""

    def on_acknowledged(self, command: Command, result: dict[str, Any]) -> None:
        outcome = registry.get(command.kind).parse(result)
        # A user's channel tells about that user's part only; the inventory is the device's.
        if not command.channel.user_key:
            inventory.store(device=command.device, outcome=outcome)
        if outcome.detail:
            Command.objects.filter(pk=command.pk).update(result=dict(outcome.detail))

    def on_failed(self, command: Command) -> None:
        if command.rank != CommandRank.BACKGROUND:
            record(command, "devices.command.failed", error=command.error[:1])


class InformationHandler(QueryHandler):
    """What the device says of itself outweighs what we remember of its lost mode."""

    def on_acknowledged(self, command: Command, result: dict[str, Any]) -> None:
        super().on_acknowledged(command, result)
        is_lost = registry.get(command.kind).parse(result).facts.get("is_lost")
        device = command.device
        if is_lost is True and device.lost_since is None:
            lost_mode.begin(device=device, actor=device.actor, asked_by={})
        elif is_lost is False and device.lost_since is not None:
            lost_mode.end(device=device, actor=device.actor)


class DoneHandler(QueryHandler):
    """Commands of which the history tells that they were carried out."""

    def __init__(self, action: str) -> None:
        self.action = action

    def on_acknowledged(self, command: Command, result: dict[str, Any]) -> None:
        super().on_acknowledged(command, result)
        record(command, self.action)


class SettingsHandler(QueryHandler):
    """Acknowledged says that the device has read it; each setting is answered for itself."""

    def on_acknowledged(self, command: Command, result: dict[str, Any]) -> None:
        refused = registry.get(command.kind).parse(result).refused
        if refused:
            command.status = CommandStatus.ERROR
            command.error = [asdict(error) for error in refused]
            command.save(update_fields=["status", "error"])
            self.on_failed(command)
            return
        name = command.params.get("device_name")
        if name:
            outcome = Outcome(facts={"name": name})
            inventory.store(device=command.device, outcome=outcome)


class LostModeOnHandler(QueryHandler):
    def on_acknowledged(self, command: Command, result: dict[str, Any]) -> None:
        device = command.device
        lost_mode.begin(device=device, actor=device.actor, asked_by=command.requested_by)


class LostModeOffHandler(QueryHandler):
    def on_acknowledged(self, command: Command, result: dict[str, Any]) -> None:
        lost_mode.end(device=command.device, actor=command.device.actor)


class LocationHandler(QueryHandler):
    def on_acknowledged(self, command: Command, result: dict[str, Any]) -> None:
        place = registry.get(command.kind).parse(result).location
        if place:
            lost_mode.keep_place(
                device=command.device,
                latitude=place["Latitude"],
                longitude=place["Longitude"],
                accuracy=place.get("HorizontalAccuracy"),
            )


class RemoveProfileHandler(QueryHandler):
    """Removing the enrollment profile ends management; removing another profile does not."""

    def on_sent(self, command: Command) -> None:
        if command.desired_key != RETIRE_KEY:
            return
        _move(command, S.RETIRE_PENDING, S.RETIRE_SENT)
        deadline = clock.now() + RETIRED_AFTER
        Command.objects.filter(pk=command.pk, deadline_at__gt=deadline).update(deadline_at=deadline)

    def on_acknowledged(self, command: Command, result: dict[str, Any]) -> None:
        if command.desired_key == RETIRE_KEY:
            _finish(command, {S.RETIRE_PENDING, S.RETIRE_SENT}, S.RETIRED, by="acknowledged")

    def on_failed(self, command: Command) -> None:
        super().on_failed(command)
        if command.desired_key == RETIRE_KEY:
            _finish(command, {S.RETIRE_PENDING, S.RETIRE_SENT}, S.ACTIVE, by="error")

    def on_expired(self, command: Command) -> None:
        if command.desired_key == RETIRE_KEY:
            _finish(command, {S.RETIRE_PENDING, S.RETIRE_SENT}, S.RETIRED, by="time_out")


class EraseHandler(QueryHandler):
    def on_sent(self, command: Command) -> None:
        _move(command, S.WIPE_PENDING, S.WIPE_SENT)

    def on_acknowledged(self, command: Command, result: dict[str, Any]) -> None:
        _finish(command, {S.WIPE_PENDING, S.WIPE_SENT}, S.WIPED, by="acknowledged")

    def on_failed(self, command: Command) -> None:
        # Not back to active at once: the device may be erasing itself (see `reconsider`).
        record(command, "devices.wipe.failed", error=command.error[:1])

    def on_expired(self, command: Command) -> None:
        _finish(command, {S.WIPE_PENDING, S.WIPE_SENT}, S.ACTIVE, by="no_answer")


HANDLERS: dict[str, QueryHandler] = {
    **{kind: QueryHandler() for kind in registry.COMMANDS},
    "DeviceInformation": InformationHandler(),
    "DeviceLock": DoneHandler("devices.lock.confirmed"),
    "ClearPasscode": DoneHandler("devices.clear_passcode.confirmed"),
    "RestartDevice": DoneHandler("devices.restart.confirmed"),
    "ShutDownDevice": DoneHandler("devices.shut_down.confirmed"),
    "PlayLostModeSound": DoneHandler("devices.sound.played"),
    "EnableLostMode": LostModeOnHandler(),
    "DisableLostMode": LostModeOffHandler(),
    "DeviceLocation": LocationHandler(),
    "Settings": SettingsHandler(),
    "RemoveProfile": RemoveProfileHandler(),
    "EraseDevice": EraseHandler(),
}


def reconsider(device: Device) -> None:
    """Return a device to active that was told to erase itself, said it could not, and is still
    here some minutes later. Costs one query for a device with a wipe sent, none for others."""
    if device.state != S.WIPE_SENT:
        return
    last = device.commands.filter(kind="EraseDevice", epoch=device.epoch).first()
    is_over = last is None or (
        last.finished_at is not None and last.finished_at <= clock.now() - STILL_THERE_AFTER
    )
    if is_over:
        actor = Actor.system("deadlines")
        lifecycle.transition(
            device_id=device.pk, to=S.ACTIVE, actor=actor, data={"by": "still_there"}
        )


def record(command: Command, action: str, **data: Any) -> None:
    described = {"command": command.kind, "uuid": command.wire_uuid, **data}
    history.record(command.device, action, actor=command.device.actor, data=described)


def _move(command: Command, source: str, target: str) -> None:
    if command.device.state == source:
        _transition(command, target, {"uuid": command.wire_uuid})


def _finish(command: Command, sources: set[DeviceState], target: str, *, by: str) -> None:
    if command.device.state in sources:
        _transition(command, target, {"by": by, "uuid": command.wire_uuid})


def _transition(command: Command, target: str, data: dict[str, Any]) -> None:
    actor = command.device.actor
    command.device = lifecycle.transition(
        device_id=command.device_id, to=target, actor=actor, data=data
    )

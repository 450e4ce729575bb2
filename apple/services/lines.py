"""The channels of an Apple device: the device's own and those of users on a Mac."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass, replace

from django.db import transaction
from django.db.models import Exists, OuterRef

from apple.commands.base import DEVICE, USER, Target
from apple.errors import UserNotManaged
from apple.protocol.enrollment import EnrollmentId
from apple.protocol.platforms import Platform, version_of
from core import clock
from devices.models import Channel, Command, Device
from devices.states import CommandStatus

KIND = "apple"
MAX_USER_CHANNELS = 20
# A device that is busy comes back by itself only if that was its last word; so it is pushed, and
# ever more rarely (Apple: NotNow).
PUSH_AGAIN = (dt.timedelta(minutes=15), dt.timedelta(hours=1), dt.timedelta(days=1))


@dataclass(frozen=True, slots=True)
class Line:
    """A channel as the hot path needs it: which one, and whether anything waits on it."""

    channel_id: uuid.UUID
    has_work: bool
    push_due_at: dt.datetime | None


def find(device: Device, enrollment: EnrollmentId) -> Line:
    """Return the channel that a message came over; one query for a known one.

    A user of a known device that never sent a token gets a channel all the same.
    Raises UserNotManaged when a device has more users than any Mac.
    """
    found = (
        Channel.objects.filter(device_id=device.pk, kind=KIND, user_key=enrollment.user_key)
        .values_list("pk", _has_work(), "push_due_at")
        .first()
    )
    if found:
        return Line(*found)
    return Line(open_channel(device, enrollment).pk, has_work=False, push_due_at=None)


@transaction.atomic(savepoint=False)
def open_channel(device: Device, enrollment: EnrollmentId, *, is_allowed: bool = False) -> Channel:
    """Return the channel of an enrollment, creating a user's on first sight.

    The device's row is the lock; `channel.device` is the entry as it is under that lock.
    `is_allowed` skips the question whether this user may be managed. Raises UserNotManaged.
    """
    from apple.services import mac_users

    locked = Device.objects.select_for_update(of=("self",)).get(pk=device.pk)
    channels = {one.user_key: one for one in Channel.objects.filter(device=locked, kind=KIND)}
    channel = channels.get(enrollment.user_key)
    if channel is None:
        if len(channels) > MAX_USER_CHANNELS:
            raise UserNotManaged
        if enrollment.is_user_channel and not is_allowed:
            mac_users.check_new(locked, enrollment.user_key)
        channel = Channel.objects.create(
            device=locked,
            kind=KIND,
            user_key=enrollment.user_key,
            user_short_name=enrollment.user_short_name,
            user_long_name=enrollment.user_long_name,
        )
    channel.device = locked
    return channel


def target_of(device: Device, channel: Channel) -> Target:
    """Describe where a command goes, for the module that builds it."""
    return replace(target_of_device(device), channel=USER if channel.user_key else DEVICE)


def target_of_device(device: Device) -> Target:
    """Describe the device's own channel, without reading it."""
    known = device.platform in set(Platform)
    return Target(
        platform=Platform(device.platform) if known else Platform.OTHER,
        os_version=version_of(device.os_version),
        channel=DEVICE,
        is_supervised=device.is_supervised,
    )


def rest(line: Line) -> None:
    """Stop pushing a channel on which nothing waits; no query when nothing was due."""
    if line.push_due_at is None:
        return
    # Something queued in this instant has moved the due time, and keeps it.
    Channel.objects.filter(~_has_work(), pk=line.channel_id, push_due_at=line.push_due_at).update(
        push_due_at=None, push_attempts=0
    )


def rest_or_push_later(line: Line) -> None:
    """End a conversation: push again for what the device put off, or stop pushing. Two queries."""
    put_off = (
        Command.objects.filter(channel_id=line.channel_id, status=CommandStatus.NOT_NOW)
        .order_by("not_now_count")
        .values_list("not_now_count", flat=True)
        .first()
    )
    if put_off is None:
        rest(line)
        return
    delay = PUSH_AGAIN[min(max(put_off, 1), len(PUSH_AGAIN)) - 1]
    due = Channel.objects.filter(pk=line.channel_id, push_due_at=line.push_due_at)
    due.update(push_due_at=clock.now() + delay)


def _has_work() -> Exists:
    return Exists(Command.objects.open().filter(channel_id=OuterRef("pk")))

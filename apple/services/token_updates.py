"""TokenUpdate: where a channel can be pushed; the first one makes a device active."""

from __future__ import annotations

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from apple.errors import ManagementEnded
from apple.models import AppleDevice, SpentPushToken
from apple.protocol.checkin import TokenUpdate
from apple.services import bindings, inventory, lines, push, tokens
from apple.services.tokens import PushCredentials
from core import clock, history
from core.models import Tenant
from devices.models import Channel, ChannelState, Command, Device
from devices.services import lifecycle
from devices.states import DeviceState
from enrollment.models import EnrollmentSession, SessionStage
from enrollment.services import sessions

UNFINISHED = (DeviceState.ENROLLING, DeviceState.ABANDONED)


def update(*, device: Device, message: TokenUpdate) -> None:
    """Keep the push credentials of the channel, and what else the message brings.

    A token that this device had and replaced is a replay and changes nothing. The first update
    of the device's own channel makes an enrolling entry active and asks for its inventory.
    Raises ManagementEnded for an enrollment that was taken back in the meantime, UserNotManaged.
    """
    credentials = PushCredentials(token=message.token, magic=message.push_magic)
    session = _session_to_finish(device, message)
    with transaction.atomic():
        if session is not None:
            # First, because whoever ends an attempt locks it before the device.
            sessions.record(session, SessionStage.ACTIVE, actor=device.actor, device=device)
        channel = lines.open_channel(device, message.enrollment)
        if _is_spent(device, credentials):
            bindings.audit(device, "apple.token.replayed")
            return
        _keep_credentials(channel, message, credentials)
        _keep_unlock_token(device, message)
        if session is not None and channel.device.state in UNFINISHED:
            _activate(channel.device)
        elif Command.objects.open().filter(channel=channel).exists():
            # Orders may have waited for a token that works.
            push.wake(channel)


def _is_spent(device: Device, credentials: PushCredentials) -> bool:
    spent = SpentPushToken.objects.filter(device=device, pair_sha256=credentials.pair_sha256)
    return spent.exists()


def _session_to_finish(device: Device, message: TokenUpdate) -> EnrollmentSession | None:
    if message.enrollment.is_user_channel or device.state not in UNFINISHED:
        return None
    session = sessions_of(device).first()
    # It may come late, because the device or we were offline; not after it was taken back.
    if session is None or not session.is_open:
        bindings.audit(device, "apple.management.withdrawn", state=device.state)
        lifecycle.abandon(device_id=device.pk, actor=device.actor)
        raise ManagementEnded("session_ended")
    return session


def sessions_of(device: Device) -> QuerySet[EnrollmentSession]:
    """Return the enrollment attempt that opened an entry: one row, or none."""
    if device.session_id is None:
        return EnrollmentSession.objects.none()
    return EnrollmentSession.objects.filter(pk=device.session_id)


def _keep_credentials(channel: Channel, message: TokenUpdate, credentials: PushCredentials) -> None:
    now = clock.now()
    known = tokens.open_push(channel)
    if known is not None and known != credentials:
        # Under the device's lock, and a spent pair never becomes the known one again.
        SpentPushToken.objects.create(
            device=channel.device, pair_sha256=known.pair_sha256, spent_at=now
        )
    if known != credentials:
        channel.sealed_push = tokens.seal_push(channel.pk, credentials)
        channel.push_token_sha256 = credentials.token_sha256
        # A back-off was about the token that is gone.
        channel.push_failures = 0
        _take_from_others(channel)
    channel.state, channel.push_topic = ChannelState.ACTIVE, message.topic
    channel.token_updated_at, channel.push_broken_reason = now, ""
    if channel.user_key:
        channel.login_at = now
    channel.user_short_name = message.enrollment.user_short_name or channel.user_short_name
    channel.user_long_name = message.enrollment.user_long_name or channel.user_long_name
    channel.save(
        update_fields=[
            "sealed_push",
            "push_token_sha256",
            "state",
            "push_topic",
            "token_updated_at",
            "push_broken_reason",
            "push_failures",
            "login_at",
            "user_short_name",
            "user_long_name",
        ]
    )


def _take_from_others(channel: Channel) -> None:
    # One token reaches one device: whoever reported it last has it, within one organisation.
    Channel.objects.filter(
        push_token_sha256=channel.push_token_sha256,
        device__tenant_id=channel.device.tenant_id,
    ).exclude(pk=channel.pk).update(
        sealed_push=b"", push_token_sha256="", push_due_at=None, push_broken_reason="token_moved"
    )


def _keep_unlock_token(device: Device, message: TokenUpdate) -> None:
    is_waiting = message.awaiting_configuration
    if message.enrollment.is_user_channel or (message.unlock_token is None and not is_waiting):
        return
    apple, _created = AppleDevice.objects.get_or_create(device=device)
    if message.unlock_token is not None:
        apple.sealed_unlock_token = tokens.seal_unlock(device.pk, message.unlock_token)
    apple.is_awaiting_configuration = is_waiting
    apple.save(update_fields=["sealed_unlock_token", "is_awaiting_configuration"])


def _activate(device: Device) -> None:
    active = lifecycle.activate(device_id=device.pk, actor=device.actor)
    fixed = Tenant.objects.filter(pk=device.tenant_id, enrolled_public_url="").update(
        enrolled_public_url=settings.MUSTER_PUBLIC_URL
    )
    if fixed:
        data = {"url": settings.MUSTER_PUBLIC_URL}
        history.record(active.tenant, "core.tenant.address_fixed", actor=device.actor, data=data)
    inventory.request(device=active, actor=device.actor)

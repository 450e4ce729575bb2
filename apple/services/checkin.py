"""Check-in messages: what each of them changes, and what the device gets back."""

from __future__ import annotations

from django.db import transaction

from apple.errors import NotOffered, StaleIdentity
from apple.models import AppleDevice
from apple.protocol import envelope
from apple.protocol.checkin import (
    Authenticate,
    CheckinMessage,
    CheckOut,
    GetBootstrapToken,
    SetBootstrapToken,
    TokenUpdate,
    UserAuthenticate,
)
from apple.services import bindings, enrolling, lines, mac_users, token_updates, tokens
from core import history
from devices.models import Channel, ChannelState, Device, Identity
from devices.services import contact, lifecycle
from devices.states import MANAGED, DeviceState
from enrollment.services import sessions
from enrollment.states import StoppedReason

NOTHING = b""


def handle(*, identity: Identity, message: CheckinMessage) -> bytes:
    """Carry out a check-in message and return the body of the answer, mostly none.

    Raises ManagementEnded, UnknownIdentity, IdentityMismatch, StaleIdentity, UserNotManaged,
    NotOffered.
    """
    match message:
        case Authenticate():
            enrolling.authenticate(identity=identity, message=message)
        case TokenUpdate():
            _token_update(identity, message)
        case CheckOut():
            _check_out(identity, message)
        case SetBootstrapToken():
            _set_bootstrap_token(_managed(identity, message), message.token)
        case GetBootstrapToken():
            return envelope.bootstrap_token(_get_bootstrap_token(_managed(identity, message)))
        case UserAuthenticate():
            device = bindings.device_of(identity, message.enrollment)
            mac_users.log_in(device, message.enrollment)
            return envelope.no_challenge()
        case _:
            bindings.device_of(identity, message.enrollment)
            raise NotOffered
    return NOTHING


def _token_update(identity: Identity, message: TokenUpdate) -> None:
    try:
        device = bindings.device_of(identity, message.enrollment)
    except StaleIdentity:
        # An older certificate than the one in use: a replay, or a message that was overtaken.
        return
    if device.state != DeviceState.ABANDONED and not bindings.is_served(device):
        return
    token_updates.update(device=device, message=message)
    _seen(device)


def _check_out(identity: Identity, message: CheckOut) -> None:
    try:
        device = bindings.device_of(identity, message.enrollment)
    except StaleIdentity:
        return
    if device.state not in MANAGED:
        return
    if message.enrollment.is_user_channel:
        _end_user_channel(device, message.enrollment.user_key)
        return
    lifecycle.unenroll(device_id=device.pk, actor=device.actor)
    session = token_updates.sessions_of(device).first()
    if session is not None:
        sessions.refuse(session, StoppedReason.REFUSED_BY_DEVICE, actor=device.actor)


def _end_user_channel(device: Device, user_key: str) -> None:
    Channel.objects.filter(device=device, kind=lines.KIND, user_key=user_key).update(
        state=ChannelState.ENDED, sealed_push=b"", push_token_sha256="", push_due_at=None
    )


def _managed(identity: Identity, message: CheckinMessage) -> Device:
    """Return the managed device behind a message about device secrets. Raises NotOffered."""
    device = bindings.device_of(identity, message.enrollment)
    if not bindings.is_served(device) or message.enrollment.is_user_channel:
        raise NotOffered
    _seen(device)
    return device


@transaction.atomic
def _set_bootstrap_token(device: Device, token: bytes) -> None:
    apple, _created = AppleDevice.objects.select_for_update().get_or_create(device=device)
    apple.sealed_bootstrap_token = tokens.seal_bootstrap(device.pk, token) if token else b""
    apple.save(update_fields=["sealed_bootstrap_token"])
    action = "apple.bootstrap_token.stored" if token else "apple.bootstrap_token.deleted"
    history.record(device, action, actor=device.actor)


@transaction.atomic
def _get_bootstrap_token(device: Device) -> bytes:
    """Return the stored token, empty for none. Handing it out is written in the history."""
    apple = AppleDevice.objects.filter(device=device).first()
    if apple is None or not apple.sealed_bootstrap_token:
        return b""
    history.record(device, "apple.bootstrap_token.released", actor=device.actor)
    return tokens.open_bootstrap(device.pk, bytes(apple.sealed_bootstrap_token))


def _seen(device: Device) -> None:
    known = device.contact.last_seen_at if hasattr(device, "contact") else None
    contact.seen(device.pk, last_seen_at=known)

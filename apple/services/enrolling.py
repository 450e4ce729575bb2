"""Authenticate: a device presents its new certificate and becomes an entry, or is turned away."""

from __future__ import annotations

import structlog
from django.db import transaction

from accounts.models import UserSettings
from apple import profile
from apple.errors import ManagementEnded, UnknownIdentity
from apple.models import AppleDevice
from apple.protocol.checkin import Authenticate
from apple.protocol.platforms import Platform, platform_of
from apple.services import bindings, lines
from core import history
from core.actors import Actor
from devices.errors import DeviceLimitReached
from devices.models import Device, Identity, PhysicalDevice
from devices.services import entries
from enrollment.models import EnrollmentSession, SessionStage
from enrollment.services import sessions
from enrollment.states import StoppedReason

log = structlog.get_logger(__name__)


def authenticate(*, identity: Identity, message: Authenticate) -> None:
    """Take an Authenticate.

    A certificate that is bound already (a retry, or a renewal) resets nothing. One that was paid
    for with a challenge of its own opens a new entry, and whatever the server knew about that
    device before is archived out of its reach.
    Raises ManagementEnded to turn a new device away, IdentityMismatch for one that speaks for
    another, UnknownIdentity for a certificate without an enrollment attempt.
    """
    if identity.device_id is not None:
        bindings.is_served(bindings.device_of(identity, message.enrollment))
        return
    session = _session_of(identity)
    try:
        _enroll(identity, session, message)
    except DeviceLimitReached:
        sessions.refuse(session, StoppedReason.DEVICE_LIMIT, actor=_actor(message))
        raise ManagementEnded("device_limit") from None


def _session_of(identity: Identity) -> EnrollmentSession:
    session: EnrollmentSession | None = (
        EnrollmentSession.objects.select_related("user", "tenant", "invitation")
        .filter(pk=identity.session_id, tenant_id=identity.tenant_id)
        .first()
    )
    if session is None:
        log.warning("apple.authenticate.no_session", identity=str(identity.pk))
        raise UnknownIdentity
    is_welcome = session.is_open and session.user is not None and session.user.is_active
    if not is_welcome:
        # The invitation was taken back, or the attempt ended, after the certificate was issued.
        log.warning("apple.authenticate.ended", session=str(session.pk))
        raise ManagementEnded("session_ended")
    return session


@transaction.atomic
def _enroll(identity: Identity, session: EnrollmentSession, message: Authenticate) -> Device:
    previous = _current_entry(session, message)
    device = entries.open_entry(
        tenant=session.tenant,
        key=message.enrollment.device_key,
        platform=_platform(session, message),
        channel_kind=lines.KIND,
        user=session.user,
        session_id=session.pk,
        facts=_facts(message),
        device_limit=UserSettings.objects.for_user(session.user).device_limit,
        actor=_actor(message),
        ownership=session.ownership,
    )
    bindings.bind(identity, device)
    AppleDevice.objects.create(
        device=device, profile_identifier=profile.identifier(session.tenant_id)
    )
    sessions.record(session, SessionStage.CHECKED_IN, actor=device.actor, device=device)
    if previous is not None and previous.user_id != device.user_id:
        _tell_change_of_hands(previous, device)
    _tell_other_tenants(device)
    return device


def _current_entry(session: EnrollmentSession, message: Authenticate) -> Device | None:
    return (
        Device.objects.current()
        .select_related("user")
        .filter(tenant_id=session.tenant_id, physical__key=message.enrollment.device_key)
        .first()
    )


def _tell_change_of_hands(previous: Device, device: Device) -> None:
    # A manual enrollment proves nothing about the UDID: a takeover looks just like this.
    people = [str(previous.user or ""), str(device.user or "")]
    history.record(
        device, "apple.device.changed_hands", actor=device.actor, data={"person": people}
    )


def _tell_other_tenants(device: Device) -> None:
    elsewhere = PhysicalDevice.objects.filter(key=device.physical.key).exclude(
        tenant_id=device.tenant_id
    )
    for physical in elsewhere.select_related("tenant"):
        history.record(physical, "apple.device.enrolled_elsewhere", actor=Actor.system("apple"))
        history.record(device, "apple.device.known_elsewhere", actor=Actor.system("apple"))


def _platform(session: EnrollmentSession, message: Authenticate) -> str:
    platform = platform_of(message.product_name)
    if platform is Platform.OTHER and not message.product_name and session.platform:
        return session.platform
    return platform.value


def _facts(message: Authenticate) -> entries.Facts:
    return entries.Facts(
        name=message.device_name,
        serial=message.serial_number,
        model=message.product_name or message.model,
        model_name=message.model_name,
        os_version=message.os_version,
        build=message.build_version,
    )


def _actor(message: Authenticate) -> Actor:
    key = message.enrollment.device_key
    return Actor("device", key[:64], message.device_name or message.serial_number or key)

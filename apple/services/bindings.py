"""Ties certificates to devices: which enrollment a certificate may speak for."""

from __future__ import annotations

import datetime as dt
from typing import Any

import structlog
from django.db import transaction

from apple.errors import IdentityMismatch, ManagementEnded, StaleIdentity, UnknownIdentity
from apple.protocol.enrollment import EnrollmentId
from core import clock, history, ratelimit
from core.actors import Actor
from devices.models import Device, Identity
from devices.states import MANAGED, DeviceState

log = structlog.get_logger(__name__)

CHANNEL_KIND = "apple"
# An abnormal event is written in the history this often per device and day; the log has them all.
AUDITED_PER_DAY = 5
_DAY_SECONDS = int(dt.timedelta(days=1).total_seconds())


def device_of(identity: Identity, enrollment: EnrollmentId) -> Device:
    """Return the current entry that the certificate speaks for, if the message says the same.

    Expects `device__physical` to be loaded; no query then, save at the first use of a renewed
    certificate. Raises UnknownIdentity, IdentityMismatch and StaleIdentity.
    """
    device = identity.device
    if device is None:
        log.warning("apple.identity.unknown", identity=str(identity.pk))
        raise UnknownIdentity
    if device.physical.key != enrollment.device_key:
        audit(device, "apple.identity.mismatched", claimed=enrollment.device_key)
        raise IdentityMismatch
    if device.archived_at is not None or identity.superseded_at is not None:
        audit(device, "apple.identity.outdated", certificate=identity.sha256[:16])
        raise StaleIdentity
    if identity.first_used_at is None:
        begin_use(identity, device)
    return device


def is_served(device: Device) -> bool:
    """Say whether the entry is under management; False means: answer politely, do nothing.

    Raises ManagementEnded when an administrator or the person ended management and the device
    does not know it yet.
    """
    if device.state in MANAGED:
        return True
    if device.state in (DeviceState.RETIRED, DeviceState.UNENROLLED):
        audit(device, "apple.management.withdrawn", state=device.state)
        raise ManagementEnded(device.state)
    # Wiped, and yet it speaks: the erasing failed, or has not begun. Somebody should look.
    audit(device, "apple.device.unexpected", state=device.state)
    return False


@transaction.atomic(savepoint=False)
def bind(identity: Identity, device: Device) -> None:
    """Tie a certificate to an entry for good. Raises IdentityMismatch if it is tied already."""
    bound = Identity.objects.filter(pk=identity.pk, device__isnull=True).update(device=device)
    if not bound:
        raise IdentityMismatch
    identity.device = device
    begin_use(identity, device)


@transaction.atomic(savepoint=False)
def begin_use(identity: Identity, device: Device) -> None:
    """Note the first use of a certificate; the device's older ones end with it."""
    now = clock.now()
    used = Identity.objects.filter(pk=identity.pk, first_used_at__isnull=True)
    if not used.update(first_used_at=now):
        return
    identity.first_used_at = now
    older = Identity.objects.filter(device=device, superseded_at__isnull=True).exclude(
        pk=identity.pk
    )
    # Two certificates of one device may both be unused; only the past ends here.
    if older.filter(issued_at__lte=identity.issued_at).update(superseded_at=now):
        data = {"certificate": identity.sha256[:16]}
        history.record(device, "apple.identity.renewed", actor=device.actor, data=data)


def audit(device: Device, action: str, **data: Any) -> None:
    """Write an abnormal event to the log, and to the history unless it repeats all day."""
    log.warning(action, device=str(device.pk), tenant=str(device.tenant_id), **data)
    if ratelimit.allow(
        action, str(device.pk), capacity=AUDITED_PER_DAY, refill_seconds=_DAY_SECONDS
    ):
        actor = Actor("device", str(device.pk), device.label)
        history.record(device, action, actor=actor, data=data)

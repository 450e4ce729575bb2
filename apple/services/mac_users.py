"""Which users of a Mac are managed, beside the Mac itself.

macOS speaks of two kinds. The local user who enrolled it sends a token without being asked; macOS
names one only. Users with a network account ask at each login with UserAuthenticate.
"""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import QuerySet

from accounts.models import NetworkAccounts, UserSettings
from apple.errors import UserNotManaged
from apple.protocol.enrollment import EnrollmentId
from apple.services import lines
from core import clock, history
from devices.models import Channel, ChannelState, Device
from devices.states import MANAGED

# How long after an enrollment a login is that of the person who enrolled.
REGISTRATION = dt.timedelta(hours=24)


@transaction.atomic
def log_in(device: Device, enrollment: EnrollmentId) -> None:
    """Let a network account be managed from this login on. Raises UserNotManaged.

    Its channel is made now, so that the token that follows finds it.
    """
    locked = Device.objects.select_for_update(of=("self",)).get(pk=device.pk)
    if locked.state not in MANAGED or not _may_log_in(locked, enrollment.user_key):
        raise UserNotManaged
    channel = lines.open_channel(locked, enrollment, is_allowed=True)
    is_new = channel.login_at is None
    channel.login_at = clock.now()
    channel.user_short_name = enrollment.user_short_name or channel.user_short_name
    channel.user_long_name = enrollment.user_long_name or channel.user_long_name
    channel.save(update_fields=["login_at", "user_short_name", "user_long_name"])
    if is_new:
        data = {"user": channel.user_short_name or channel.user_key}
        history.record(locked, "apple.user.logged_in", actor=locked.actor, data=data)


def _may_log_in(device: Device, user_key: str) -> bool:
    policy = _policy(device)
    if policy == NetworkAccounts.NEVER:
        return False
    if policy == NetworkAccounts.ALL or _others(device, "").filter(user_key=user_key).exists():
        return True
    began = device.enrolled_at or device.created_at
    return clock.now() - began < REGISTRATION and not _others(device, user_key).exists()


def check_new(device: Device, user_key: str) -> None:
    """Refuse a further user whom nobody allowed: one person is managed on a Mac (R6).

    Raises UserNotManaged.
    """
    if _others(device, user_key).exists() and _policy(device) != NetworkAccounts.ALL:
        raise UserNotManaged


def _others(device: Device, user_key: str) -> QuerySet[Channel]:
    """The managed users of a Mac but one."""
    users = Channel.objects.filter(device=device, kind=lines.KIND).exclude(user_key="")
    return users.exclude(state=ChannelState.ENDED).exclude(user_key=user_key)


def _policy(device: Device) -> str:
    rows = UserSettings.objects.filter(tenant_id=device.tenant_id, is_default=True)
    return rows.values_list("network_accounts", flat=True).get()

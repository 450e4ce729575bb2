"""What needs somebody's attention: each item says what is wrong and leads to where it is mended."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.models import User
from apple.services import push_certificate
from apple.services.push_certificate import PushState
from core import clock
from core.models import OutboxMessage, OutboxStatus
from devices.filters import DeviceFilterSet
from devices.models import Command, Device, Hold
from devices.states import CommandStatus
from enrollment.models import EnrollmentSession, Invitation
from enrollment.states import InvitationStatus, SessionOutcome

WEEK = dt.timedelta(days=7)
Item = dict[str, Any]
PUSH_TROUBLE = {
    PushState.NONE: (
        "attention",
        gettext_lazy("There is no push certificate yet: Apple devices cannot be woken up."),
    ),
    PushState.REQUESTED: (
        "attention",
        gettext_lazy("The push certificate is requested, but not uploaded yet."),
    ),
    PushState.PRACTICE: (
        "attention",
        gettext_lazy("A practice push certificate is in use: it wakes no real device."),
    ),
    PushState.EXPIRED: (
        "danger",
        gettext_lazy("The push certificate has expired: Apple devices cannot be woken up."),
    ),
    PushState.PAUSED: (
        "danger",
        gettext_lazy("Apple refuses the push certificate: devices cannot be woken up."),
    ),
}


def items(user: User) -> list[Item]:
    """Return what is to be done, the most urgent first; a handful of counting queries."""
    found: list[Item] = []
    if user.has("settings.view"):
        found += _server(user)
    if user.has("invitations.view"):
        found += _enrollment(user)
    if user.has("devices.view"):
        found += _devices(user)
    return found


def _item(tone: str, icon: str, text: str, url: str) -> Item:
    return {"tone": tone, "icon": icon, "text": text, "url": url}


def _server(user: User) -> list[Item]:
    found = _push_certificate(user)
    if not settings.MUSTER_REQUIRE_ADMIN_MFA:
        text = _("Administrators may sign in without a second step (MUSTER_REQUIRE_ADMIN_MFA=0).")
        found.append(_item("attention", "shield-check", text, reverse("mfa_index")))
    failed = OutboxMessage.objects.visible_to(user).filter(status=OutboxStatus.QUARANTINED).count()
    if failed:
        text = ngettext(
            "%(count)d mail failed five times and was given up.",
            "%(count)d mails failed five times and were given up.",
            failed,
        )
        found.append(_item("danger", "mail", text % {"count": failed}, reverse("settings-mail")))
    return found


def _push_certificate(user: User) -> list[Item]:
    status, url = push_certificate.status(user.tenant), reverse("settings-push")
    if status.state == PushState.EXPIRING:
        text = ngettext(
            "The push certificate expires in %(count)d day.",
            "The push certificate expires in %(count)d days.",
            status.days_left,
        )
        return [_item("attention", "certificate", text % {"count": status.days_left}, url)]
    if status.state not in PUSH_TROUBLE:
        return []
    tone, text = PUSH_TROUBLE[status.state]
    return [_item(tone, "certificate", text, url)]


def _enrollment(user: User) -> list[Item]:
    found = []
    page = reverse("invitations:invitation-list")
    invitations = Invitation.objects.visible_to(user)
    bounced = invitations.filter(status=InvitationStatus.BOUNCED).count()
    if bounced:
        text = ngettext(
            "%(count)d invitation could not be delivered.",
            "%(count)d invitations could not be delivered.",
            bounced,
        )
        url = f"{page}?status={InvitationStatus.BOUNCED}"
        found.append(_item("danger", "mail", text % {"count": bounced}, url))
    sessions = EnrollmentSession.objects.visible_to(user)
    refused = sessions.filter(
        outcome=SessionOutcome.REFUSED, ended_at__gt=clock.now() - WEEK
    ).count()
    if refused:
        text = ngettext(
            "%(count)d enrollment was refused in the last seven days.",
            "%(count)d enrollments were refused in the last seven days.",
            refused,
        )
        url = f"{reverse('invitations:session-list')}?outcome=refused&ended=7"
        found.append(_item("attention", "circle-x", text % {"count": refused}, url))
    return found


def _approvals(user: User) -> list[Item]:
    """What waits for a second administrator; the page says whether it waits for this one."""
    waiting = Hold.objects.visible_to(user).waiting()
    hold = waiting.order_by("due_at").first()
    if hold is None:
        return []
    text = ngettext(
        "%(count)d order waits for a second administrator.",
        "%(count)d orders wait for a second administrator.",
        count := waiting.count(),
    )
    page = reverse("devices:hold-detail", args=[hold.pk])
    return [_item("attention", "hourglass", text % {"count": count}, page)]


def _devices(user: User) -> list[Item]:
    found = _approvals(user)
    page = reverse("devices:device-list")
    devices = Device.objects.visible_to(user)
    silent = DeviceFilterSet({"silent": "week"}, queryset=devices).qs.count()
    if silent:
        text = ngettext(
            "%(count)d device has been silent for more than a week.",
            "%(count)d devices have been silent for more than a week.",
            silent,
        )
        found.append(
            _item("attention", "plug-connected-x", text % {"count": silent}, f"{page}?silent=week")
        )
    failed = (
        Command.objects.visible_to(user)
        .filter(status=CommandStatus.ERROR, finished_at__gt=clock.now() - dt.timedelta(days=1))
        .values("device")
        .distinct()
        .count()
    )
    if failed:
        text = ngettext(
            "%(count)d device refused a command since yesterday.",
            "%(count)d devices refused a command since yesterday.",
            failed,
        )
        url = f"{page}?refused=day"
        found.append(_item("attention", "alert-triangle", text % {"count": failed}, url))
    return found

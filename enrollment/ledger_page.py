"""What pages show of the ledger of reminders."""

from __future__ import annotations

from typing import Any

from django.db.models import Q

from core.models import OutboxMessage, OutboxStatus
from core.services import mail
from enrollment import schedule
from enrollment.models import EnrollmentSession, Invitation, Notice

SHOWN = 50


def of_invitation(invitation: Invitation) -> dict[str, Any]:
    """Return the reminders of an invitation and of every attempt that came of it."""
    about = Q(invitation=invitation) | Q(session__invitation=invitation)
    return _shown(about, invitation.user.time_zone, invitation.tenant.time_zone) | {
        "delayed": _delayed(invitation)
    }


def _delayed(invitation: Invitation) -> OutboxMessage | None:
    """Return a mail of the invitation that the mail server did not take yet."""
    waiting = OutboxMessage.objects.filter(
        tenant_id=invitation.tenant_id,
        kind=mail.KIND,
        about_type=invitation._meta.label_lower,
        about_id=str(invitation.pk),
        status=OutboxStatus.PENDING,
    ).exclude(last_error="")
    return waiting.order_by("-created_at").first()


def of_session(session: EnrollmentSession) -> dict[str, Any]:
    """Return the reminders of one attempt."""
    zones = (session.user.time_zone if session.user else "", session.tenant.time_zone)
    return _shown(Q(session=session), *zones)


def _shown(about: Q, *zones: str) -> dict[str, Any]:
    rows = Notice.objects.filter(about).select_related("message").order_by("-created_at", "-id")
    zone = schedule.zone_of(*zones)
    return {"notices": list(rows[:SHOWN]), "hours": schedule.hours(), "zone_name": str(zone)}

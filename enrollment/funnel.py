"""The funnel: how many invitations came how far, and how far one attempt came."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Q

from enrollment.models import EnrollmentSession
from enrollment.models.invitation import InvitationQuerySet
from enrollment.states import STAGE_ORDER, SessionStage

# Shown in totals; between them lie steps that nobody can stop at for long.
MILESTONES = (
    SessionStage.OPENED,
    SessionStage.AUTHENTICATED,
    SessionStage.DOWNLOADED,
    SessionStage.IDENTITY_ISSUED,
    SessionStage.ACTIVE,
)


def totals(invitations: InvitationQuerySet) -> dict[str, int]:
    """Return how many of these invitations exist (``sent``) and reached each milestone; one query.

    An invitation counts once, by the attempt that came furthest.
    """
    counts: dict[str, Any] = {"sent": Count("pk", distinct=True)}
    for stage in MILESTONES:
        reached = Q(**{f"sessions__{stage}_at__isnull": False})
        if stage == SessionStage.OPENED:
            reached = Q(opened_at__isnull=False)
        counts[stage.value] = Count("pk", distinct=True, filter=reached)
    return invitations.order_by().aggregate(**counts)


def steps(session: EnrollmentSession) -> list[dict[str, Any]]:
    """Return every step of one attempt: when it was reached, or where it stopped."""
    found = [
        {"stage": stage, "label": SessionStage(stage).label, "at": getattr(session, f"{stage}_at")}
        for stage in STAGE_ORDER
    ]
    for step in found:
        step["state"] = "done" if step["at"] else "open"
    next_step = next((step for step in found if step["state"] == "open"), None)
    if next_step is not None:
        next_step["state"] = "next" if session.is_open else "stopped"
    return found

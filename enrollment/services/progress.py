"""Moves an invitation along with what its person does; every move is written in the history."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from core import clock, history
from core.actors import Actor
from enrollment.models import Invitation, InvitationStatus
from enrollment.states import OPEN_INVITATIONS, can_become

I = InvitationStatus  # noqa: E741


@transaction.atomic
def move(
    invitation: Invitation,
    to: str,
    *,
    actor: Actor,
    data: dict[str, Any] | None = None,
) -> bool:
    """Move an invitation to a status if it can go there; False, and nothing written, if not.

    The row is the lock. Ending stops the reminders.
    """
    row = (
        Invitation.objects.select_for_update(of=("self",))
        .select_related("user")
        .get(pk=invitation.pk)
    )
    if not can_become(row.status, to):
        return False
    source, row.status = row.status, to
    fields = ["status", *_stamp(row, to)]
    row.save(update_fields=fields)
    history.record(
        row,
        f"enrollment.invitation.{to}",
        actor=actor,
        data={"status": [source, to], **(data or {})},
    )
    for name in fields:
        setattr(invitation, name, getattr(row, name))
    return True


def _stamp(row: Invitation, to: str) -> list[str]:
    now, fields = clock.now(), []
    if to in (I.OPENED, I.IN_PROGRESS, I.COMPLETED) and row.opened_at is None:
        row.opened_at = now
        fields.append("opened_at")
    if to == I.COMPLETED:
        row.completed_at = now
        fields.append("completed_at")
    if to in (I.EXPIRED, I.REVOKED):
        row.ended_at = now
        fields.append("ended_at")
    # Once somebody opened it, the attempt is what is reminded of.
    if to not in OPEN_INVITATIONS or to in (I.OPENED, I.IN_PROGRESS, I.BOUNCED):
        row.remind_at = None
        fields.append("remind_at")
    return fields

"""Mails about what was held, decided or frozen: nobody wipes a fleet unnoticed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.urls import reverse

from accounts.models import User
from core.actors import Actor
from core.models import Tenant
from core.services import mail
from devices.models import Hold, HoldKind, HoldMode, Safeguard
from devices.services import requesters

SAMPLE = 10


def tell_placed(hold: Hold, *, deciders: list[User]) -> None:
    """Mail whoever can decide, and the requester that it waits; without a second administrator
    the owners, so that somebody sees it before the delay is over."""
    is_delay = hold.mode == HoldMode.DELAY
    readers = requesters.owners(hold.tenant_id) if is_delay else deciders
    _send("hold_placed", hold.tenant_id, _and(readers, hold.requester), hold, _about(hold))


def tell_decided(hold: Hold) -> None:
    """Mail the requester, and everybody who could have decided, what became of it."""
    readers = requesters.approvers(hold.tenant_id, requester=hold.requester)
    if hold.mode == HoldMode.DELAY:
        readers += requesters.owners(hold.tenant_id)
    context = _about(hold) | {"decided_by": hold.decided_by.get("label", "")}
    _send("hold_decided", hold.tenant_id, _and(readers, hold.requester), hold, context)


def tell_freeze(row: Safeguard, *, actor: Actor, reason: str) -> None:
    """Mail the owners that destructive orders are frozen, or go on."""
    context = {
        "is_frozen": row.is_frozen,
        "by": actor.label,
        "reason": reason,
        "link": settings.MUSTER_PUBLIC_URL + reverse("devices:protection"),
    }
    _send("freeze", row.tenant_id, requesters.owners(row.tenant_id), row, context)


def _about(hold: Hold) -> dict[str, Any]:
    is_wipe = hold.kind == HoldKind.WIPE and hold.operation is not None
    names = hold.operation.targets.values_list("label", flat=True) if is_wipe else []  # type: ignore[union-attr]
    return {
        "hold": hold,
        "is_wipe": is_wipe,
        "is_delay": hold.mode == HoldMode.DELAY,
        "count": hold.operation.total if is_wipe else 0,  # type: ignore[union-attr]
        "limit": hold.data.get("wipe_limit", [0, 0])[1],
        "names": list(names[:SAMPLE]),
        "requested_by": hold.requested_by.get("label", ""),
        "link": settings.MUSTER_PUBLIC_URL + reverse("devices:hold-detail", args=[hold.pk]),
    }


def _and(readers: Iterable[User], requester: User | None) -> list[User]:
    known = {user.pk: user for user in readers}
    if requester is not None and requester.is_active:
        known.setdefault(requester.pk, requester)
    return list(known.values())


def _send(
    template: str, tenant_id: Any, readers: Iterable[User], about: Any, context: dict[str, Any]
) -> None:
    tenant = Tenant.objects.get(pk=tenant_id)
    for user in readers:
        mail.enqueue(
            tenant=tenant,
            to=user.email,
            template=template,
            context=context | {"user": user},
            language=user.language,
            time_zone=user.time_zone,
            about=about,
        )

"""Mails to the administrators about the push certificate: it ends soon, or Apple refuses it."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from accounts.models import User
from apple.services import push_store
from core import clock
from core.models import KeyPurpose, StoredKey, Tenant
from core.services import mail

# Days before the end at which the administrators are told, once each; 0 is the end itself.
THRESHOLDS = (60, 30, 7, 1, 0)


def administrators(tenant: Tenant) -> list[User]:
    """Return who can do something about it. One query, and one per person with a role."""
    people = User.objects.filter(tenant=tenant).active().administrators().order_by("pk")
    return [user for user in people if user.has("settings.manage")]


def tell_paused(row: StoredKey, *, reason: str) -> None:
    """Queue a mail to every administrator, in the caller's transaction."""
    _tell(row, "push_paused", {"reason": reason})


def warn_of_expiry() -> int:
    """Queue the warnings that are due, for every tenant; returns for how many certificates."""
    soon = clock.now() + dt.timedelta(days=THRESHOLDS[0])
    rows = StoredKey.objects.current().filter(purpose=KeyPurpose.APNS_PUSH, not_after__lte=soon)
    return sum(_warn(row.pk) for row in rows if not push_store.is_practice(row))


@transaction.atomic
def _warn(row_id: object) -> bool:
    row = StoredKey.objects.select_for_update(of=("self",)).select_related("tenant").get(pk=row_id)
    if row.not_after is None:
        return False
    left = row.not_after - clock.now()
    reached = [days for days in THRESHOLDS if left <= dt.timedelta(days=days)]
    if not reached or row.data.get("warned", THRESHOLDS[0] + 1) <= min(reached):
        return False
    threshold = min(reached)
    row.data["warned"] = threshold
    row.save(update_fields=["data"])
    _tell(row, "push_expiring", {"days": max(left.days, 0), "has_ended": threshold == 0})
    return True


def _tell(row: StoredKey, template: str, context: dict[str, object]) -> None:
    context |= {
        "topic": push_store.topic_of(row),
        "not_after": row.not_after,
        "link": settings.MUSTER_PUBLIC_URL + reverse("settings-push"),
    }
    for user in administrators(row.tenant):
        mail.enqueue(
            tenant=row.tenant,
            to=user.email,
            template=template,
            context=context | {"user": user},
            language=user.language,
            time_zone=user.time_zone,
            about=row,
        )

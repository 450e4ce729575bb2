"""Warns administrators before a certificate of their organisation ends, once at each step."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from accounts.models import User
from core import clock
from core.models import KeyPurpose, StoredKey, Tenant
from core.services import mail

# Days before the end at which the administrators are told; 0 is the end itself.
THRESHOLDS = (60, 30, 7, 1, 0)
OWN_KEYS = (
    KeyPurpose.DEVICE_CA,
    KeyPurpose.SIGNING_ROOT,
    KeyPurpose.PROFILE_SIGNER,
    KeyPurpose.SCRIPT_SIGNER,
)


@dataclass(frozen=True)
class Step:
    """What is to be told about a certificate."""

    days: int
    has_ended: bool


Teller = Callable[[StoredKey, Step], None]


def administrators(tenant: Tenant) -> list[User]:
    """Return who can do something about it. One query, and one per person with a role."""
    people = User.objects.filter(tenant=tenant).active().administrators().order_by("pk")
    return [user for user in people if user.has("settings.manage")]


def ending(purposes: Iterable[str]) -> list[StoredKey]:
    """Return the current certificates of some purposes that end within the first threshold."""
    soon = clock.now() + dt.timedelta(days=THRESHOLDS[0])
    return list(StoredKey.objects.current().filter(purpose__in=purposes, not_after__lte=soon))


@transaction.atomic
def warn(row_id: object, tell: Teller) -> bool:
    """Tell about one certificate unless this step was told already; safe to call twice."""
    row = StoredKey.objects.select_for_update(of=("self",)).select_related("tenant").get(pk=row_id)
    if row.not_after is None:
        return False
    left = row.not_after - clock.now()
    reached = [days for days in THRESHOLDS if left <= dt.timedelta(days=days)]
    if not reached or row.data.get("warned", THRESHOLDS[0] + 1) <= min(reached):
        return False
    row.data["warned"] = min(reached)
    row.save(update_fields=["data"])
    tell(row, Step(days=max(left.days, 0), has_ended=min(reached) == 0))
    return True


def warn_of_own_keys() -> int:
    """Warn of authorities and signers of every organisation; returns of how many."""
    return sum(warn(row.pk, _tell) for row in ending(OWN_KEYS))


def _tell(row: StoredKey, warning: Step) -> None:
    mail_all(
        row,
        "key_expiring",
        {
            "purpose": row.get_purpose_display(),
            "days": warning.days,
            "has_ended": warning.has_ended,
            "link": settings.MUSTER_PUBLIC_URL + reverse("settings-health"),
        },
    )


def mail_all(row: StoredKey, template: str, context: dict[str, Any]) -> None:
    """Queue a mail to every administrator, in the caller's transaction."""
    for user in administrators(row.tenant):
        mail.enqueue(
            tenant=row.tenant,
            to=user.email,
            template=template,
            context={"not_after": row.not_after, **context, "user": user},
            language=user.language,
            time_zone=user.time_zone,
            about=row,
        )

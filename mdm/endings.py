"""What ends in an organisation, and when: certificates, identities of devices, API tokens."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db.models import Min
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import ApiToken
from core import clock
from core.models import StoredKey, Tenant
from devices.models import Identity

SOON, VERY_SOON = dt.timedelta(days=60), dt.timedelta(days=7)
TOKENS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Ending:
    label: str
    at: dt.datetime
    url: str = ""

    @property
    def tone(self) -> str:
        left = self.at - clock.now()
        if left <= VERY_SOON:
            return "danger"
        return "attention" if left <= SOON else "good"


def of(tenant: Tenant) -> list[Ending]:
    """Return what ends, the soonest first; three queries."""
    return sorted([*_keys(tenant), *_identities(tenant), *_tokens(tenant)], key=lambda one: one.at)


def _keys(tenant: Tenant) -> list[Ending]:
    rows = StoredKey.objects.current().filter(tenant=tenant, not_after__isnull=False)
    push = reverse("settings-push")
    return [
        Ending(str(row.get_purpose_display()), row.not_after, push if "apns" in row.purpose else "")
        for row in rows
        if row.not_after is not None
    ]


def _identities(tenant: Tenant) -> list[Ending]:
    """Identities renew themselves in time; those that end soon belong to silent devices."""
    rows: dict[str, Any] = (
        Identity.objects.live()
        .filter(device__tenant=tenant, device__archived_at=None, superseded_at=None)
        .filter(not_after__lte=clock.now() + SOON)
        .aggregate(first=Min("not_after"))
    )
    if rows["first"] is None:
        return []
    return [Ending(_("First identity of a device"), rows["first"], reverse("devices:device-list"))]


def _tokens(tenant: Tenant) -> list[Ending]:
    now = clock.now()
    rows = ApiToken.objects.live(now).filter(tenant=tenant, expires_at__isnull=False)
    ending = list(rows.filter(expires_at__lte=now + SOON).order_by("expires_at")[:TOKENS_SHOWN])
    page = reverse("settings-tokens")
    return [
        Ending(_("API token “%(name)s”") % {"name": row.name}, row.expires_at, page)
        for row in ending
        if row.expires_at is not None
    ]

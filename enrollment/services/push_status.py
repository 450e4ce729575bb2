"""Says of each reminder channel whether it works, and why not; nothing in it is a secret."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from core.models import KeyPurpose, StoredKey, Tenant
from enrollment.models import AppPush, BrowserSubscription, ClientInstallation
from enrollment.services import push_keys
from enrollment.states import ChannelState


@dataclass(frozen=True, slots=True)
class ChannelStatus:
    """`state` is a ChannelState; `facts` are what was entered, but for the key;
    `addresses` is how many apps or browsers can be reached."""

    purpose: str
    state: str
    facts: dict[str, str] = field(default_factory=dict)
    installed_at: dt.datetime | None = None
    refused_reason: str = ""
    refused_since: dt.datetime | None = None
    addresses: int = 0


def of(tenant: Tenant) -> list[ChannelStatus]:
    """Return the push channels in their order. Four queries."""
    rows = push_keys.rows(tenant.pk)
    apps = ClientInstallation.objects.filter(tenant=tenant, ended_at=None, push_broken_reason="")
    browsers = BrowserSubscription.objects.filter(tenant=tenant, broken_reason="")
    counts = {
        KeyPurpose.APP_APNS: apps.filter(push_kind=AppPush.APNS).count(),
        KeyPurpose.APP_FCM: apps.filter(push_kind=AppPush.FCM).count(),
        KeyPurpose.WEB_PUSH: browsers.count(),
    }
    return [_status(purpose, rows.get(purpose), counts[purpose]) for purpose in push_keys.PURPOSES]


def _status(purpose: str, row: StoredKey | None, addresses: int) -> ChannelStatus:
    if row is None:
        return ChannelStatus(str(purpose), ChannelState.MISSING, addresses=addresses)
    trouble: dict[str, Any] = row.data.get("trouble", {})
    known = {"key_id", "team_id", "topic", "project_id", "client_email", "public_key"}
    return ChannelStatus(
        purpose=str(purpose),
        state=ChannelState.REFUSED if trouble else ChannelState.READY,
        facts={name: value for name, value in row.data.items() if name in known},
        installed_at=row.created_at,
        refused_reason=trouble.get("reason", ""),
        refused_since=dt.datetime.fromisoformat(trouble["since"]) if trouble else None,
        addresses=addresses,
    )

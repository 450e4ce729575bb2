"""Writes the change history, in the transaction of the change."""

from __future__ import annotations

from typing import Any

from django.db import models
from structlog.contextvars import get_contextvars

from core.actors import Actor
from core.models import HistoryEntry, Tenant


def record(
    obj: models.Model,
    action: str,
    *,
    actor: Actor,
    data: dict[str, Any] | None = None,
    tenant: Tenant | None = None,
) -> HistoryEntry:
    """Write that `actor` did `action` (``app.noun.verb``, past tense) to `obj`.

    `data` is public within the tenant: never put a secret, a PIN or a token into it. One query.
    """
    tenant_id = tenant.pk if tenant else getattr(obj, "tenant_id", None) or obj.pk
    context = get_contextvars()
    return HistoryEntry.objects.create(
        tenant_id=tenant_id,
        action=action,
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor_label=actor.label[:254],
        ip=actor.ip or str(context.get("client_ip", ""))[:45],
        request_id=str(context.get("request_id", ""))[:64],
        object_type=obj._meta.label_lower,
        object_id=str(obj.pk),
        object_label=str(obj)[:254],
        data=data or {},
    )


def changes(before: dict[str, Any], after: dict[str, Any]) -> dict[str, list[Any]]:
    """Return ``{field: [before, after]}`` of what differs, the shape that the page shows."""
    return {
        name: [before.get(name), value]
        for name, value in after.items()
        if before.get(name) != value
    }

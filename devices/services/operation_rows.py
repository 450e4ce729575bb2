"""Writes bulk orders: who is meant is frozen here, with a hash that an approval is bound to."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterable
from typing import Any, NamedTuple

from django.db import transaction
from django.utils.translation import gettext_lazy

from accounts.models import ApiToken, User
from core import clock, secrets
from core.actors import Actor
from devices.errors import NothingSelected, TooManyTargets
from devices.models import Device, Operation, OperationState, OperationTarget, TargetState

MAX_TARGETS = 100_000
PAGE = 2000
# Words of the reasons that we give ourselves; what a service refused with is kept as it said it.
REASONS = {
    "archived": gettext_lazy("This is an earlier enrollment of the device."),
    "wrong_state": gettext_lazy("The device's state does not allow this."),
    "not_supported": gettext_lazy("The device does not support this."),
    "gone": gettext_lazy("The device's entry is gone."),
    "no_permission": gettext_lazy("Whoever ordered this may not do it any more."),
    "internal": gettext_lazy("The server failed several times; its log says why."),
    "changed": gettext_lazy("The order is not the one that was approved."),
}


class Meant(NamedTuple):
    """A device of an order, as little as is kept of it; `why` it is left out, or nothing."""

    key: uuid.UUID
    label: str
    serial: str
    why: str = ""

    @classmethod
    def of(cls, device: Device, why: str = "") -> Meant:
        return cls(device.pk, device.label, device.serial, why)


@transaction.atomic
def write(
    *,
    tenant_id: uuid.UUID,
    action: str,
    devices: Iterable[Meant],
    content: dict[str, Any],
    shown: list[list[str]],
    reason: str,
    actor: Actor,
    requester: User | None,
    token: ApiToken | None,
    query: str = "",
    retry_of: Operation | None = None,
    state: str = OperationState.RUNNING,
) -> Operation:
    """Write an order with a row per device, in one transaction.

    `content` is JSON and sealed. Queries: two, and one per 2,000 devices.
    Raises NothingSelected when every device is left out, TooManyTargets.
    """
    operation = Operation(
        tenant_id=tenant_id,
        action=action,
        state=state,
        shown=shown,
        reason=reason.strip()[:500],
        query=query,
        requested_by=actor.as_dict(),
        requester=requester,
        token=token,
        retry_of=retry_of,
        due_at=clock.now() if state == OperationState.RUNNING else None,
    )
    operation.sealed_form = secrets.seal(
        json.dumps(content).encode(), context=f"operation:{operation.pk}"
    )
    rows = [_target(operation, meant) for meant in devices]
    if len(rows) > MAX_TARGETS:
        raise TooManyTargets
    keys = [row.device_key for row in rows if not row.reason_code]
    if not keys:
        raise NothingSelected
    operation.total, operation.skipped_count = len(rows), len(rows) - len(keys)
    operation.targets_hash = _hash(operation, content, keys)
    operation.save(force_insert=True)
    OperationTarget.objects.bulk_create(rows, batch_size=PAGE)
    return operation


def _target(operation: Operation, meant: Meant) -> OperationTarget:
    return OperationTarget(
        operation=operation,
        device_id=meant.key,
        device_key=meant.key,
        label=meant.label,
        serial=meant.serial,
        state=TargetState.SKIPPED if meant.why else TargetState.PENDING,
        reason_code=meant.why,
    )


def content_of(operation: Operation) -> dict[str, Any]:
    """Return what was ordered, as it was written."""
    opened = secrets.unseal(operation.sealed_form, context=f"operation:{operation.pk}")
    content: dict[str, Any] = json.loads(opened)
    return content


def current_hash(operation: Operation) -> str:
    """Return the hash of the order as its rows are now. Two queries at most."""
    left_out = (TargetState.SKIPPED, TargetState.CANCELLED)
    rows = operation.targets.exclude(state__in=left_out, attempts=0)
    pairs = rows.values_list("device_key", "device_id")
    # An entry that was deleted is still the one that was meant; another in its place is not.
    keys = [key if device in (None, key) else device for key, device in pairs]
    return _hash(operation, content_of(operation), keys)


def _hash(operation: Operation, content: dict[str, Any], keys: Iterable[uuid.UUID]) -> str:
    what = [
        str(operation.tenant_id),
        operation.action,
        operation.reason,
        operation.requested_by,
        content,
        sorted(str(key) for key in keys),
    ]
    return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()


def reason_words(code: str, text: str) -> str:
    """Return why a device was left out or failed; codes we know in the reader's language."""
    return str(REASONS[code]) if code in REASONS else text or code.replace("_", " ")

"""Changes what an organisation decides: its own facts and its enrollment policy."""

from __future__ import annotations

from typing import Any, TypeVar

from django.db import transaction

from accounts.models import UserSettings
from core import history
from core.actors import Actor
from core.models import Tenant

Row = TypeVar("Row", Tenant, UserSettings)
POLICY_FIELDS = (
    "require_pin",
    "pin_length",
    "pin_days",
    "may_request_pin",
    "invitation_days",
    "profile_minutes",
    "device_limit",
    "max_reminders",
    "network_accounts",
    "confirm_registration",
    "self_service_check_in",
    "self_service_lock",
    "self_service_retire",
    "self_service_wipe",
    "self_service_clear_passcode",
    "self_service_lost_mode",
)
TENANT_FIELDS = ("name", "language", "time_zone", "help_contact")


@transaction.atomic
def change_policy(*, policy: UserSettings, actor: Actor, **fields: Any) -> UserSettings:
    """Change the enrollment policy; later invitations and profiles follow it.

    Raises ValidationError for a value out of range.
    """
    policy = UserSettings.objects.select_for_update().get(pk=policy.pk)
    return _change(policy, fields, POLICY_FIELDS, "accounts.policy.changed", actor)


@transaction.atomic
def change_organisation(*, tenant: Tenant, actor: Actor, **fields: Any) -> Tenant:
    """Change name, language, time zone or help contact. Raises ValidationError."""
    tenant = Tenant.objects.select_for_update().get(pk=tenant.pk)
    return _change(tenant, fields, TENANT_FIELDS, "core.tenant.changed", actor)


def _change(
    row: Row, fields: dict[str, Any], allowed: tuple[str, ...], action: str, actor: Actor
) -> Row:
    wanted = {name: value for name, value in fields.items() if name in allowed}
    before = {name: getattr(row, name) for name in wanted}
    for name, value in wanted.items():
        setattr(row, name, value)
    changed = history.changes(before, wanted)
    if changed:
        row.full_clean()
        row.save(update_fields=list(changed))
        history.record(row, action, actor=actor, data=changed)
    return row

"""What each action of the change history is called, and how it is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from core.models import HistoryEntry
from mdm.words.glossary import ATTENTION, DANGER, GOOD, NEUTRAL, PROGRESS

MAX_SHOWN = 300


@dataclass(frozen=True, slots=True)
class Words:
    text: Any
    tone: str = NEUTRAL
    icon: str = "pencil"


ACTIONS: dict[str, Words] = {
    "core.tenant.created": Words(_("Organisation created"), GOOD, "building"),
    "core.tenant.changed": Words(_("Organisation changed"), NEUTRAL, "building"),
    "core.key.created": Words(_("Key created"), NEUTRAL, "key"),
    "core.key.retired": Words(_("Key retired"), NEUTRAL, "key"),
    "accounts.user.created": Words(_("Person added"), GOOD, "user"),
    "accounts.user.edited": Words(_("Person changed"), NEUTRAL, "user"),
    "accounts.user.enabled": Words(_("Person enabled"), GOOD, "user"),
    "accounts.user.disabled": Words(_("Person disabled"), ATTENTION, "user-off"),
    "accounts.roles.changed": Words(_("Roles changed"), ATTENTION, "shield-check"),
    "accounts.password.changed": Words(_("Password changed"), NEUTRAL, "key"),
    "accounts.token.created": Words(_("API token created"), ATTENTION, "key"),
    "accounts.token.revoked": Words(_("API token revoked"), NEUTRAL, "key"),
    "accounts.policy.changed": Words(_("Enrollment policy changed"), NEUTRAL, "adjustments"),
    "devices.device.enrolling": Words(_("Enrollment began"), PROGRESS, "hourglass"),
    "devices.device.re_enrolled": Words(_("Enrolled again"), PROGRESS, "rotate"),
    "devices.device.active": Words(_("Became active"), GOOD, "circle-check"),
    "devices.device.retire_pending": Words(_("Retire ordered"), ATTENTION, "clock"),
    "devices.device.retire_sent": Words(_("Retire sent to the device"), ATTENTION, "send"),
    "devices.device.retired": Words(_("Retired"), NEUTRAL, "archive"),
    "devices.device.wipe_pending": Words(_("Wipe ordered"), DANGER, "clock"),
    "devices.device.wipe_sent": Words(_("Wipe sent to the device"), DANGER, "send"),
    "devices.device.wiped": Words(_("Wiped"), NEUTRAL, "eraser"),
    "devices.device.reset": Words(_("Was reset without an order"), NEUTRAL, "rotate"),
    "devices.device.unenrolled": Words(
        _("Management was removed on the device"), ATTENTION, "plug-connected-x"
    ),
    "devices.device.abandoned": Words(_("Enrollment never finished"), NEUTRAL, "circle-dashed"),
    "devices.device.archived": Words(_("Set aside as an earlier enrollment"), NEUTRAL, "archive"),
    "devices.device.deleted": Words(_("Entry deleted"), DANGER, "trash"),
    "devices.check_in.requested": Words(_("Check-in requested"), PROGRESS, "refresh"),
    "devices.lock.requested": Words(_("Lock ordered"), ATTENTION, "lock"),
    "devices.pin.revealed": Words(_("Lock PIN was looked at"), ATTENTION, "eye"),
    "devices.queue.cancelled": Words(_("Waiting commands were cancelled"), NEUTRAL, "ban"),
    "devices.retire.cancelled": Words(_("Retire cancelled"), NEUTRAL, "ban"),
    "devices.wipe.cancelled": Words(_("Wipe cancelled"), NEUTRAL, "ban"),
    "devices.command.expired": Words(_("The device did not answer in time"), ATTENTION, "circle-x"),
    "devices.command.failed": Words(_("The device refused a command"), ATTENTION, "alert-triangle"),
    "devices.lock.confirmed": Words(_("Locked"), GOOD, "lock"),
    "devices.wipe.failed": Words(
        _("The device refused to wipe itself, and may do so all the same"), DANGER, "alert-triangle"
    ),
    "devices.device.changed": Words(_("The device tells something new"), NEUTRAL, "refresh"),
    "apple.identity.renewed": Words(_("Certificate renewed"), NEUTRAL, "certificate"),
    "apple.identity.mismatched": Words(
        _("Tried to speak for another device: refused"), DANGER, "alert-triangle"
    ),
    "apple.identity.outdated": Words(
        _("Came with a replaced certificate: refused"), ATTENTION, "alert-triangle"
    ),
    "apple.result.refused": Words(
        _("Answered a command of another device: refused"), DANGER, "alert-triangle"
    ),
    "apple.token.replayed": Words(
        _("Sent an old push token again: ignored"), ATTENTION, "alert-triangle"
    ),
    "apple.management.withdrawn": Words(
        _("Came back after management had ended: told to leave"), ATTENTION, "plug-connected-x"
    ),
    "apple.device.unexpected": Words(
        _("Contacted us although it should be gone"), ATTENTION, "alert-triangle"
    ),
    "apple.device.changed_hands": Words(
        _("Enrolled again by another person"), DANGER, "alert-triangle"
    ),
    "apple.device.enrolled_elsewhere": Words(
        _("The same device enrolled in another organisation"), ATTENTION, "alert-triangle"
    ),
    "apple.device.known_elsewhere": Words(
        _("The same device is known in another organisation"), ATTENTION, "alert-triangle"
    ),
    "apple.bootstrap_token.stored": Words(_("Bootstrap token stored"), NEUTRAL, "key"),
    "apple.bootstrap_token.deleted": Words(_("Bootstrap token deleted"), NEUTRAL, "key"),
    "apple.bootstrap_token.released": Words(
        _("Bootstrap token given to the device"), NEUTRAL, "key"
    ),
    "core.tenant.address_fixed": Words(
        _("The address of this server is fixed from now on"), ATTENTION, "building"
    ),
}
GROUPS = {
    "devices": _("Devices"),
    "enrollment": _("Enrollment"),
    "accounts": _("People and access"),
    "core": _("Organisation"),
    "apple": _("Apple"),
}


def words(action: str) -> Words:
    """Return how an action is told; one that nobody described yet is shown as it is stored."""
    return ACTIONS.get(action) or Words(action)


def changes(entry: HistoryEntry) -> list[dict[str, str]]:
    """Return what changed, field by field: before and after, or just a value."""
    shown = []
    for name, value in entry.data.items():
        label = str(FIELDS.get(name, name.replace("_", " ")))
        if isinstance(value, list) and len(value) == 2 and name not in PLAIN_LISTS:
            shown.append({"label": label, "before": _text(value[0]), "after": _text(value[1])})
        elif value not in ("", None, [], {}):
            shown.append({"label": label, "value": _text(value)})
    return shown


PLAIN_LISTS = frozenset({"scopes", "commands"})
FIELDS = {
    "state": _("state"),
    "reason": _("reason"),
    "person": _("person"),
    "serial": _("serial number"),
    "command": _("command"),
    "commands": _("commands"),
    "roles": _("roles"),
    "scopes": _("rights"),
    "first_name": _("first name"),
    "last_name": _("last name"),
    "language": _("language"),
    "time_zone": _("time zone"),
    "name": _("name"),
    "help_contact": _("help contact"),
}


def _text(value: Any) -> str:
    if isinstance(value, list):
        text = ", ".join(_text(item) for item in value)
    elif isinstance(value, bool):
        text = str(_("yes") if value else _("no"))
    elif isinstance(value, dict):
        text = ", ".join(f"{key}: {_text(item)}" for key, item in value.items())
    else:
        text = "–" if value in (None, "") else str(value)
    return text[:MAX_SHOWN]

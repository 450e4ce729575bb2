"""What the history stored, in words: names and values of fields, and who acted."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.timezone import is_aware, localtime
from django.utils.translation import gettext_lazy as _

from accounts.access import PERMISSIONS, READY_MADE_ROLES
from accounts.models import AttributeKind, AttributeOwner, GroupKind, UserSettings
from core.models import HistoryEntry
from core.models.keys import KeyPurpose
from devices import actions
from devices.models import Ownership, Platform
from devices.states import DeviceState
from enrollment.states import InvitationStatus, SessionStage, StoppedReason
from mdm.words import commands

MAX_SHOWN = 300
FIELDS = {
    "action": _("order"),
    "attempts": _("tries"),
    "browser": _("browser"),
    "by": _("known from"),
    "came": _("came"),
    "command": _("command"),
    "commands": _("commands"),
    "count": _("number"),
    "description": _("description"),
    "device": _("device"),
    "devices": _("number of devices"),
    "devices_left_behind": _("devices that have to enroll again"),
    "digits": _("digits"),
    "email": _("e-mail address"),
    "epoch": _("number of the enrollment"),
    "expires_at": _("valid until"),
    "failed": _("failed"),
    "first_name": _("first name"),
    "groups": _("groups"),
    "help_contact": _("help contact"),
    "hosts": _("host names"),
    "key": _("key"),
    "kind": _("type"),
    "label": _("name"),
    "language": _("language"),
    "last_name": _("last name"),
    "members": _("members"),
    "name": _("name"),
    "names": _("names"),
    "number": _("number of mails"),
    "order": _("order"),
    "ownership": _("ownership"),
    "owner_kind": _("about"),
    "person": _("person"),
    "platform": _("platform"),
    "purpose": _("purpose"),
    "reason": _("reason"),
    "requested_by": _("ordered by"),
    "roles": _("roles"),
    "rule": _("rule"),
    "scopes": _("rights"),
    "serial": _("serial number"),
    "session": _("attempt"),
    "sha256": _("fingerprint (SHA-256)"),
    "since": _("since"),
    "skipped": _("left out"),
    "stage": _("step"),
    "state": _("state"),
    "status": _("status"),
    "time_zone": _("time zone"),
    "topic": _("topic"),
    "until": _("until"),
    "url": _("address"),
    "values": _("values"),
    "went": _("went"),
    "uuid": _("identifier"),
    "wipe_limit": _("wipe limit"),
}
KNOWN_FROM = {
    "acknowledged": _("the device confirmed it"),
    "check_out": _("the device took its leave"),
    "error": _("the device refused"),
    "administrator": _("an administrator closed the order"),
    "still_there": _("the device is still in contact"),
    "no_answer": _("the device did not answer"),
    "time_out": _("the time ran out"),
}
MOMENTS = frozenset({"expires_at", "since", "until"})
# Names under which parts of Muster write; everything else that acts by itself is Muster.
CONSOLE = frozenset({"recover_owner", "create_token"})


def field(name: str) -> str:
    """Return what a stored field is called; one that nobody described keeps its name."""
    if name in FIELDS:
        return str(FIELDS[name])
    try:
        return str(UserSettings._meta.get_field(name).verbose_name)
    except FieldDoesNotExist:
        return name.replace("_", " ")


def text(name: str, value: Any, *, action: str = "") -> str:
    """Return a stored value in words, cut to what a page can show."""
    if isinstance(value, list):
        words = ", ".join(text(name, item, action=action) for item in value)
    elif isinstance(value, bool):
        words = str(_("yes") if value else _("no"))
    elif isinstance(value, dict):
        parts = ((field(key), text(key, item, action=action)) for key, item in value.items())
        words = ", ".join(
            _("%(label)s: %(value)s") % {"label": label, "value": told} for label, told in parts
        )
    elif value in (None, ""):
        words = "–"
    elif name in MOMENTS:
        words = _moment(str(value))
    else:
        words = str(_vocabulary(name, action).get(str(value), value))
    return words[:MAX_SHOWN]


def actor(entry: HistoryEntry) -> str:
    """Return who acted, as people would say it."""
    if entry.actor_kind == "device" and entry.actor_label == "SCEP client":
        return str(_("the device"))
    if entry.actor_kind != "system":
        return entry.actor_label
    if entry.actor_label == "bootstrap":
        return str(_("Set-up of the server"))
    return str(_("Console of the server") if entry.actor_label in CONSOLE else _("Muster itself"))


def _moment(value: str) -> str:
    try:
        moment = parse_datetime(value)
    except ValueError:
        return value
    if moment is None or not is_aware(moment):
        return value
    return date_format(localtime(moment), "DATETIME_FORMAT")


def _vocabulary(name: str, action: str) -> Mapping[str, Any]:
    # Elsewhere a reason is what somebody typed, and stays as typed.
    if name == "reason" and not action.startswith("enrollment."):
        return {}
    return _vocabularies().get(name, {})


@cache
def _vocabularies() -> dict[str, Mapping[str, Any]]:
    return {
        "action": {action.key: action.label for action in actions.every()},
        "by": KNOWN_FROM,
        "order": {"retire": _("Retire"), "wipe": _("Wipe")},
        "ownership": dict(Ownership.choices),
        "command": commands.NAMES,
        "kind": dict([*GroupKind.choices, *AttributeKind.choices]),
        "owner_kind": dict(AttributeOwner.choices),
        "commands": commands.NAMES,
        "platform": dict(Platform.choices),
        "purpose": dict(KeyPurpose.choices),
        "reason": dict(StoppedReason.choices),
        "roles": {role.key: role.name for role in READY_MADE_ROLES},
        "rule": _("rule"),
        "scopes": PERMISSIONS,
        "stage": dict(SessionStage.choices),
        "state": dict(DeviceState.choices),
        "status": dict(InvitationStatus.choices),
    }

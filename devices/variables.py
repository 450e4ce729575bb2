"""Which variables a text for devices may hold, and what they are for one device.

One scheme: ``device.…`` and ``user.…`` with the words of the rules of groups, custom attributes as
``device.attr.<key>`` and ``user.attr.<key>``. The names that other servers use are understood too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from core import clock
from devices.models import Device

Read = Callable[[Device], Any]


@dataclass(frozen=True)
class Variable:
    name: str
    label: Any
    read: Read
    aliases: tuple[str, ...] = ()


def _user(attribute: str) -> Read:
    return lambda device: getattr(device.user, attribute, None)


def _mail(place: int) -> Read:
    return lambda device: device.user.email.rpartition("@")[place] if device.user else None


def _language(device: Device) -> str | None:
    return (device.user.language or device.tenant.language) if device.user else None


def _zone(device: Device) -> str | None:
    return (device.user.time_zone or device.tenant.time_zone) if device.user else None


def _contact(device: Device) -> Any:
    return device.contact.last_seen_at if hasattr(device, "contact") else None


BUILTIN = (
    Variable("device.id", _("Identifier of the entry"), lambda one: one.pk, ("deviceGUID",)),
    Variable("device.name", _("Name of the device"), lambda one: one.name, ("deviceName",)),
    Variable("device.serial", _("Serial number"), lambda one: one.serial, ("deviceSN",)),
    Variable("device.udid", _("Identifier (UDID)"), lambda one: one.physical.key, ("deviceUDID",)),
    Variable("device.model_name", _("Model"), lambda one: one.model_name, ("deviceModel",)),
    Variable("device.model", _("Model identifier"), lambda one: one.model),
    Variable("device.platform", _("Platform"), lambda one: one.platform),
    Variable("device.os_version", _("System version"), lambda one: one.os_version),
    Variable("device.build", _("System build"), lambda one: one.build),
    Variable("device.ownership", _("Ownership"), lambda one: one.ownership),
    Variable("device.enrolled_at", _("Enrolled"), lambda one: one.enrolled_at),
    Variable("device.last_contact", _("Last contact"), _contact, ("deviceLastCheckin",)),
    Variable("user.id", _("Identifier of the person"), _user("pk")),
    Variable(
        "user.email",
        _("E-mail address"),
        _user("email"),
        ("userEmailAddress", "userWorkEmailAddress", "userUID", "userUPN"),
    ),
    Variable(
        "user.email_local",
        _("E-mail address before the @"),
        _mail(0),
        ("userEmailAddressLocalPart", "userUIDLocalPart"),
    ),
    Variable(
        "user.email_domain",
        _("E-mail address after the @"),
        _mail(2),
        ("userEmailAddressDomain", "userUIDDomain"),
    ),
    Variable("user.name", _("Name of the person"), _user("name"), ("userDisplayName", "userCN")),
    Variable("user.first_name", _("First name"), _user("first_name"), ("userFirstName",)),
    Variable("user.last_name", _("Last name"), _user("last_name"), ("userLastName",)),
    Variable("user.language", _("Language"), _language, ("userLocale",)),
    Variable("user.time_zone", _("Time zone"), _zone),
    Variable("organisation.name", _("Organisation"), lambda one: one.tenant.name),
    Variable(
        "system.timestamp_ms",
        _("Milliseconds since 1970"),
        lambda one: int(clock.now().timestamp() * 1000),
        ("timestampMS",),
    ),
)
NAMES = {name: one.name for one in BUILTIN for name in (one.name, *one.aliases)}

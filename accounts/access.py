"""Who may do what: the names of the permissions, the ready-made roles, and the principal."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, Protocol

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext_lazy as _

from core.actors import Actor


class Principal(Protocol):
    """Somebody who asks: a user of the portal, or an API token."""

    @property
    def tenant_id(self) -> uuid.UUID: ...

    @property
    def actor(self) -> Actor: ...

    def has(self, permission: str) -> bool: ...


PERMISSIONS: dict[str, Any] = {
    "devices.view": _("See devices"),
    "devices.check_in": _("Ask devices to check in"),
    "devices.lock": _("Lock devices"),
    "devices.clear_passcode": _("Remove passcodes of devices"),
    "devices.restart": _("Restart and shut down devices"),
    "devices.lost_mode": _("Turn lost mode on and off"),
    "devices.locate": _("See where lost devices are"),
    "devices.rename": _("Rename devices"),
    "devices.assign": _("Give devices to people and set who owns them"),
    "devices.retire": _("Retire devices"),
    "devices.wipe": _("Wipe devices"),
    "devices.cancel": _("Cancel pending orders and commands"),
    "devices.close_order": _("Close orders that a lost device never answers"),
    "devices.delete": _("Delete device entries"),
    "devices.raw": _("See commands and answers as they were sent"),
    "devices.reveal_pin": _("Reveal lock PINs of Macs"),
    "devices.freeze": _("Freeze destructive orders, and lift the freeze"),
    "users.view": _("See people"),
    "users.manage": _("Add, edit and disable people"),
    "users.reveal_pin": _("Make registration PINs and see them"),
    "roles.assign": _("Give roles to people"),
    "groups.view": _("See groups"),
    "groups.manage": _("Make groups, change their rules and members"),
    "attributes.set": _("Set attributes of devices and people"),
    "attributes.manage": _("Define attributes"),
    "invitations.view": _("See invitations"),
    "invitations.send": _("Send invitations"),
    "invitations.revoke": _("Revoke invitations"),
    "history.view": _("See the change history"),
    "settings.view": _("See settings"),
    "settings.manage": _("Change settings"),
    "tokens.manage": _("Manage API tokens"),
}

# A permission is of no use without those that it builds on; they are added when it is granted.
REQUIRES: dict[str, tuple[str, ...]] = {
    **{name: ("devices.view",) for name in PERMISSIONS if name.startswith("devices.")},
    "devices.assign": ("devices.view", "users.view"),
    "users.manage": ("users.view",),
    "users.reveal_pin": ("users.view",),
    "roles.assign": ("users.view",),
    "groups.manage": ("groups.view", "devices.view", "users.view"),
    "attributes.set": ("devices.view", "users.view"),
    "attributes.manage": ("settings.view",),
    "invitations.view": ("users.view",),
    "invitations.send": ("users.view", "invitations.view"),
    "invitations.revoke": ("users.view", "invitations.view"),
    "settings.manage": ("settings.view",),
    "tokens.manage": ("settings.view",),
}


@dataclass(frozen=True)
class ReadyMadeRole:
    key: str
    name: Any
    permissions: frozenset[str] = field(default_factory=frozenset)


_VIEW = frozenset(name for name in PERMISSIONS if name.endswith(".view"))
READY_MADE_ROLES = (
    ReadyMadeRole("owner", _("Owner"), frozenset(PERMISSIONS)),
    ReadyMadeRole(
        "administrator",
        _("Administrator"),
        frozenset(PERMISSIONS) - {"roles.assign", "devices.freeze"},
    ),
    ReadyMadeRole(
        "helpdesk",
        _("Help desk"),
        frozenset(
            {
                "devices.view",
                "devices.check_in",
                "devices.lock",
                "devices.clear_passcode",
                "devices.restart",
                "devices.lost_mode",
                "devices.rename",
                "devices.reveal_pin",
                "users.view",
                "users.reveal_pin",
                "groups.view",
                "invitations.view",
                "invitations.send",
            }
        ),
    ),
    ReadyMadeRole("auditor", _("Auditor"), _VIEW),
)


def with_required(permissions: Iterable[str]) -> frozenset[str]:
    """Return the permissions and everything that they build on."""
    granted = set(permissions)
    for name in list(granted):
        granted.update(REQUIRES.get(name, ()))
    return frozenset(granted)


def requires(permission: str) -> Callable:
    """Let only principals with `permission` reach a portal view; the rest get a 403 page.

    The name stays on the view, so that a test can prove that every portal view declares one.
    """
    assert permission in PERMISSIONS  # noqa: S101 - a typo must fail at import time

    def decorate(view: Callable) -> Callable:
        @wraps(view)
        def guarded(request, *args, **kwargs):
            if not request.user.has(permission):
                raise PermissionDenied(permission)
            return view(request, *args, **kwargs)

        guarded.permission = permission
        return guarded

    return decorate

"""The left rail: which pages there are, and who sees them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Item:
    """`section` is the first part of the path, by which the current page is found."""

    label: Any
    icon: str
    url_name: str
    permission: str = ""

    @property
    def section(self) -> str:
        return reverse(self.url_name).strip("/").partition("/")[0]


RAIL = (
    Item(_("Home"), "home", "home"),
    Item(_("Devices"), "devices", "devices:device-list", "devices.view"),
    Item(_("Operations"), "list-check", "devices:operation-list", "devices.view"),
    Item(_("People"), "users", "user-list", "users.view"),
    Item(_("Invitations"), "mail", "invitations:invitation-list", "invitations.view"),
    Item(_("History"), "history", "history-list", "history.view"),
    Item(_("Settings"), "settings", "settings", "settings.view"),
)
SETTINGS = (
    Item(_("Organisation"), "building", "settings-organisation", "settings.view"),
    Item(_("Enrollment"), "adjustments", "settings-policy", "settings.view"),
    Item(_("Attributes"), "pencil", "settings-attributes", "settings.view"),
    Item(_("Terms"), "check", "settings-terms", "settings.view"),
    Item(_("Mail"), "mail", "settings-mail", "settings.view"),
    Item(_("Push certificate"), "certificate", "settings-push", "settings.view"),
    Item(_("Reminders"), "clock", "settings-reminders", "settings.view"),
    Item(_("Wipe protection"), "shield-check", "devices:protection", "settings.view"),
    Item(_("Cleanup"), "trash", "devices:cleanup-list", "settings.view"),
    Item(_("History"), "history", "settings-history", "settings.view"),
    Item(_("API tokens"), "key", "settings-tokens", "settings.view"),
    Item(_("Webhooks"), "send", "settings-webhooks", "settings.view"),
    Item(_("Health"), "shield-check", "settings-health", "settings.view"),
)

SELF_SERVICE = (
    Item(_("My devices"), "devices", "me-home"),
    Item(_("Add a device"), "plus", "me-device-add"),
    Item(_("Account"), "user", "me-account"),
)


def rail(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the items that the person may use."""
    here = request.path.strip("/").partition("/")[0]
    return [
        _drawn(item, is_current=item.section == here)
        for item in RAIL
        if not item.permission or request.user.has(item.permission)
    ]


def settings_pages(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the pages of the settings that the person may open."""
    return [
        _drawn(item, is_current=request.path.startswith(reverse(item.url_name)))
        for item in SETTINGS
        if request.user.has(item.permission)
    ]


def self_service(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the pages of /me/; the one whose address the path continues furthest is current."""
    urls = [reverse(item.url_name) for item in SELF_SERVICE]
    here = max((url for url in urls if request.path.startswith(url)), key=len, default="")
    return [_drawn(item, is_current=reverse(item.url_name) == here) for item in SELF_SERVICE]


def _drawn(item: Item, *, is_current: bool) -> dict[str, Any]:
    return {
        "label": item.label,
        "icon": item.icon,
        "url": reverse(item.url_name),
        "is_current": is_current,
    }

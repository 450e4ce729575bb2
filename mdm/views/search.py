"""Search over everything: pages, devices, people; the command palette asks the same page."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from accounts.models import User
from core.filters import MAX_SEARCH
from devices.models import Device
from mdm import navigation

SHOWN = 6


@dataclass(frozen=True, slots=True)
class Hit:
    label: str
    url: str
    icon: str
    note: str = ""


@require_GET
def search(request: HttpRequest) -> HttpResponse:
    """Find what the person may see; without a word, the pages that there are."""
    text = request.GET.get("q", "")[:MAX_SEARCH].replace("\x00", "").strip()
    groups = [
        (_("Go to"), _pages(request, text)),
        (_("Devices"), _devices(request.user, text)),
        (_("People"), _people(request.user, text)),
    ]
    context = {
        "title": _("Search"),
        "text": text,
        "groups": [(label, hits) for label, hits in groups if hits],
    }
    return render(request, "search.html", context)


def _pages(request: HttpRequest, text: str) -> list[Hit]:
    items: list[dict[str, Any]] = [*navigation.rail(request)]
    if request.user.has("settings.view"):
        items += navigation.settings_pages(request)
    if request.user.has("invitations.send"):
        invite = reverse("invitations:invitation-new")
        items.append({"label": _("Invite people"), "url": invite, "icon": "plus"})
    words = _folded(text).split()
    return [
        Hit(str(item["label"]), item["url"], item["icon"])
        for item in items
        if all(word in _folded(str(item["label"])) for word in words)
    ]


def _devices(user: User, text: str) -> list[Hit]:
    if not text:
        return []
    rows = Device.objects.visible_to(user).current().search(text).select_related("user")
    return [
        Hit(
            row.label,
            reverse("device-detail", args=[row.pk]),
            "devices",
            " · ".join(filter(None, (row.user.name if row.user else "", row.serial))),
        )
        for row in rows.order_by("name", "pk")[:SHOWN]
    ]


def _people(user: User, text: str) -> list[Hit]:
    if not text:
        return []
    rows = User.objects.visible_to(user).search(text).order_by("email")
    return [
        Hit(row.name, reverse("user-detail", args=[row.pk]), "user", row.email)
        for row in rows[:SHOWN]
    ]


def _folded(text: str) -> str:
    """Return a text without accents and case, as people type it."""
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(part for part in parts if not unicodedata.combining(part))

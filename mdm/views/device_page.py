"""The page of one device: who and what it is, what happened, what it told, what can be done."""

from __future__ import annotations

import hashlib
import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from accounts.access import requires
from core.models import HistoryEntry
from devices import actions
from devices.models import Command, CommandRank, Device, InventorySection, Platform
from devices.services import holds
from devices.states import DeviceState
from devices.views import portal
from enrollment import ledger_page
from enrollment.models import EnrollmentSession
from mdm import membership
from mdm.views import command_tab, order_story
from mdm.words import commands as command_words
from mdm.words import history as history_words
from mdm.words import inventory, values
from mdm.words.glossary import term

SHOWN_EVENTS = 15
SHOWN_COMMANDS = 50
EXTRA_TABS = (
    inventory.Tab("commands", gettext_lazy("Commands")),
    inventory.Tab("entries", gettext_lazy("Earlier")),
)
MAC_TABS = (inventory.Tab("users", gettext_lazy("Users")),)
CANCELLABLE = frozenset({DeviceState.RETIRE_PENDING, DeviceState.WIPE_PENDING})


@requires("devices.view")
@require_GET
def device_detail(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Also answers its own polls: 204 while nothing changed, else the page to take parts from."""
    device = portal.find(request, pk)
    context = gather(device)
    if request.GET.get("seen") == context["digest"]:
        return HttpResponse(status=204)
    tabs = inventory.TABS + (MAC_TABS if device.platform == Platform.MAC else ()) + EXTRA_TABS
    kind = request.GET.get("tab", "device")
    tab = next((tab for tab in tabs if tab.kind == kind), tabs[0])
    context |= {"tabs": tabs, "tab": tab.kind} | _tab(request, device, tab.kind, context)
    context |= {
        "title": device.label,
        "crumbs": [(reverse("devices:device-list"), _("Devices"))],
        "actions": (offered := actions.available(device=device, user=request.user)),
        "has_menu": any(action.is_in_menu for action in offered),
        "session": (session := _session(device)),
    }
    if session is not None and request.user.has("invitations.view"):
        context |= ledger_page.of_session(session)
    context |= membership.of_member(request, "device", device) | {"member_pk": device.pk}
    return render(request, "devices/device_detail.html", context)


def gather(device: Device) -> dict[str, Any]:
    """Return what changes while somebody looks; four queries, five where there was an order."""
    entries = list(HistoryEntry.objects.about(device).order_by("-id")[:SHOWN_EVENTS])
    rows = list(device.commands.defer("answer").order_by("-created_at", "-id")[:SHOWN_COMMANDS])
    for command in rows:
        command.device = device
    sections = {section.kind: section for section in device.inventory.all()}
    order = next((c for c in rows if c.rank == CommandRank.ORDER and not c.finished_at), None)
    held = holds.waiting_for(device.pk)
    return {
        "device": device,
        "commands": rows,
        "sections": sections,
        "order": order,
        "held": held,
        "order_text": command_words.explanation(order) if order else "",
        "is_cancellable": device.state in CANCELLABLE,
        "order_steps": order_story.steps(device),
        "events": timeline(entries, rows),
        "digest": _digest(device, entries, rows, sections, held and held.pk),
    }


def timeline(entries: list[HistoryEntry], rows: list[Command]) -> list[dict[str, Any]]:
    """Return history and answers of the device in one story, newest first."""
    events = [_told(entry) for entry in entries]
    events += [_answered(row) for row in rows if row.rank != CommandRank.BACKGROUND]
    return sorted(events, key=lambda event: event["at"], reverse=True)[:SHOWN_EVENTS]


def _told(entry: HistoryEntry) -> dict[str, Any]:
    words = history_words.words(entry.action)
    return {
        "text": words.text,
        "tone": words.tone,
        "icon": words.icon,
        "at": entry.at,
        "by": values.actor(entry) if entry.actor_kind != "device" else _("the device"),
        "note": entry.data.get("reason", ""),
    }


def _answered(command: Command) -> dict[str, Any]:
    look = term("command", command.status)
    return {
        "text": _("%(label)s: %(value)s")
        % {"label": command_words.name(command), "value": look.label},
        "tone": look.tone,
        "icon": look.icon,
        "at": command_words.moment(command),
        "by": "",
        "note": command_words.explanation(command),
    }


def _digest(
    device: Device, entries, rows, sections: dict[str, InventorySection], held: uuid.UUID | None
) -> str:
    contact = getattr(device, "contact", None)
    state = [device.state, device.name, contact and contact.last_seen_at, entries[:1], held]
    state += [(row.pk, row.status, row.not_now_count, row.sent_count) for row in rows]
    state += sorted((kind, section.collected_at) for kind, section in sections.items())
    return hashlib.sha256(repr(state).encode()).hexdigest()[:16]


def _tab(
    request: HttpRequest, device: Device, kind: str, context: dict[str, Any]
) -> dict[str, Any]:
    section = context["sections"].get(kind)
    if kind == "commands":
        return command_tab.gather(request, device)
    if kind == "users":
        return {"users": device.channels.exclude(user_key="").order_by("-login_at", "pk")}
    if kind == "entries":
        others = Device.objects.filter(physical_id=device.physical_id).exclude(pk=device.pk)
        return {"entries": others.select_related("user").order_by("-epoch")}
    if section is None:
        return {}
    if kind in inventory.COLUMNS:
        return {"section": section, "list": inventory.table(section)}
    return {"section": section, "facts": inventory.facts(section)}


def _session(device: Device) -> EnrollmentSession | None:
    if device.session_id is None:
        return None
    rows = EnrollmentSession.objects.select_related("invitation", "user", "tenant")
    return rows.filter(pk=device.session_id, tenant_id=device.tenant_id).first()

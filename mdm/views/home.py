"""Home: what needs attention, who is enrolling now, and what there is."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from accounts.models import User
from devices.models import Device, Platform
from devices.states import MANAGED, PENDING_ORDER, DeviceState
from enrollment.models import EnrollmentSession, Invitation
from mdm import attention
from mdm.setup import steps
from mdm.words.glossary import term

SHOWN = 8
# How the bars are divided: entries that are over are not counted.
PARTS = (
    (DeviceState.ACTIVE, frozenset({DeviceState.ACTIVE})),
    (DeviceState.ENROLLING, frozenset({DeviceState.ENROLLING})),
    (DeviceState.RETIRE_PENDING, PENDING_ORDER),
)


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    user = request.user
    if _is_new(request):
        return redirect("setup")
    context: dict[str, Any] = {"title": _("Home"), "todo": attention.items(user), "stats": []}
    if user.has("devices.view"):
        context |= _devices(user)
    if user.has("invitations.view"):
        context |= _enrollments(user)
    return render(request, "home.html", context)


def _is_new(request: HttpRequest) -> bool:
    """Lead into the setup once for each sign-in, as long as nobody has begun with it."""
    user, offered = request.user, "setup_offered"
    if (
        user.tenant.setup_finished_at is not None
        or offered in request.session
        or steps.is_begun(user.tenant)
        or not user.has("settings.manage")
    ):
        return False
    request.session[offered] = True
    return True


def _devices(user: User) -> dict[str, Any]:
    rows = Device.objects.visible_to(user).current()
    counts: Counter[tuple[str, str]] = Counter()
    for platform, state, number in rows.values_list("platform", "state").annotate(Count("pk")):
        counts[platform, state] = number
    page = reverse("devices:device-list")
    bars = [
        _bar(platform, counts, f"{page}?platform={platform}&managed=yes")
        for platform in Platform.values
        if any(counts[platform, state] for state in MANAGED)
    ]
    by_state: Counter[str] = Counter()
    for (_platform, state), number in counts.items():
        by_state[state] += number
    states = [
        {"value": state, "count": by_state[state], "url": f"{page}?state={state}"}
        for state in DeviceState.values
        if by_state[state]
    ]
    active = {"label": _("active devices"), "url": f"{page}?state=active"}
    return {
        "bars": bars,
        "bars_total": max((bar["value"] for bar in bars), default=0),
        "states": states,
        "stat_devices": active | {"value": by_state[DeviceState.ACTIVE]},
    }


def _bar(platform: str, counts: Counter[tuple[str, str]], url: str) -> dict[str, Any]:
    parts = [
        (sum(counts[platform, state] for state in states), term("device", state).tone)
        for state, states in PARTS
    ]
    return {
        "label": Platform(platform).label,
        "url": url,
        "value": sum(number for number, _tone in parts),
        "segments": parts,
    }


def _enrollments(user: User) -> dict[str, Any]:
    rows = EnrollmentSession.objects.visible_to(user).open().filter(user__isnull=False)
    invitations = Invitation.objects.visible_to(user)
    page = reverse("invitations:invitation-list")
    return {
        "sessions": rows.select_related("user", "invitation").order_by("-opened_at")[:SHOWN],
        "stat_sessions": {
            "label": _("enrollments in progress"),
            "value": rows.count(),
            "url": f"{reverse('invitations:session-list')}?outcome=open",
        },
        "stat_invitations": {
            "label": _("open invitations"),
            "value": invitations.open().count(),
            "url": f"{page}?status=open",
        },
    }

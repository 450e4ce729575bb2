"""Renders one of the registration pages with what all of them know."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from enrollment.detection import CHOICES
from enrollment.views.visit import Visit

# So that browsers that can tell the real version of macOS do.
CLIENT_HINTS = "Sec-CH-UA-Platform, Sec-CH-UA-Platform-Version"


def _chosen(request: HttpRequest) -> str:
    """What the person picked goes along; a guess does not, for a script may know better."""
    values = request.POST if request.method == "POST" else request.GET
    chosen = values.get("device", "")
    return chosen if chosen in CHOICES else ""


def page(visit: Visit, template: str, *, status: int = 200, **facts: Any) -> HttpResponse:
    request, session = visit.request, visit.session
    invitation = visit.invitation or (session.invitation if session else None)
    context = {
        "tenant": visit.tenant,
        "session": session,
        "invitation": invitation,
        "detected": visit.detected,
        "chosen": _chosen(request),
        "here": request.path,
        "note": getattr(request, "go_note", ""),
        "sent": request.GET.get("sent", "")[:8],
        **facts,
    }
    response = render(request, template, context, status=status)
    response["Accept-CH"] = CLIENT_HINTS
    return response

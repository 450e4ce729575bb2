"""Settings, health: what the server finds when it examines itself, and how to mend it."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from accounts.access import requires
from core import ratelimit
from mdm import endings
from mdm.diagnosis.examination import PARTS, examine_for
from mdm.diagnosis.findings import Level, worst

TONES = {Level.OK: "good", Level.WARNING: "attention", Level.ERROR: "danger"}
ICONS = {Level.OK: "circle-check", Level.WARNING: "alert-triangle", Level.ERROR: "circle-x"}


@requires("settings.view")
@require_GET
def health(request: HttpRequest) -> HttpResponse:
    """Show the frame at once; with ``?now=1`` the findings, which wait for other servers.

    ``?part=`` takes only the checks that a page of the wizard is about.
    """
    part = request.GET.get("part", "")
    part = part if part in PARTS else ""
    context = {
        "title": _("Health"),
        "lead": _("What a device or a mail needs from this server, tried out now."),
        "part": part,
        "endings": endings.of(request.user.tenant),
        "is_asked": "now" in request.GET,
    }
    if context["is_asked"]:
        context |= _findings(request, part)
    return render(request, "settings/health.html", context)


def _findings(request: HttpRequest, part: str) -> dict:
    if not ratelimit.allow("health", str(request.user.pk), capacity=20, refill_seconds=60):
        return {"is_too_often": True}
    found = examine_for(request.user.tenant, part)
    labels = {Level.OK: _("In order"), Level.WARNING: _("To look at"), Level.ERROR: _("Broken")}
    rows = [
        {
            "finding": finding,
            "tone": TONES[finding.level],
            "icon": ICONS[finding.level],
            "label": labels[finding.level],
            "has_remedy": finding.level != Level.OK and bool(finding.remedy),
        }
        for finding in found
    ]
    return {"findings": rows, "is_all_well": worst(found) == Level.OK}

"""Portal, settings: rules that tidy up old device entries."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import requires
from core.errors import DomainError
from core.views.actions import attempt, posted
from devices.forms import CleanupForm
from devices.models import CleanupRule
from devices.services import cleanup

SAMPLE = 25


@requires("settings.view")
@require_safe
def cleanup_list(request: HttpRequest) -> HttpResponse:
    context = {
        "title": _("Cleanup"),
        "lead": _("What happens to entries of devices that are silent or gone."),
        "rules": [_shown(request, rule) for rule in cleanup.rules(request.user.tenant)],
    }
    return render(request, "devices/cleanup_list.html", context)


@requires("settings.view")
@require_http_methods(["GET", "POST"])
def cleanup_rule(request: HttpRequest, kind: str) -> HttpResponse:
    """Change a rule, and see whom it would take now."""
    user, rule = request.user, _find(request, kind)
    shown = _shown(request, rule)
    form = CleanupForm(posted(request), instance=rule)
    if not shown["may_change"]:
        for field in form.fields.values():
            field.disabled = True
    elif form.is_valid() and attempt(
        form, cleanup.change, rule=rule, principal=user, actor=user.actor, **form.cleaned_data
    ):
        messages.success(request, _("Saved."))
        return redirect("devices:cleanup-rule", kind)
    chosen = cleanup.due(_find(request, kind))
    context = shown | {
        "form": form,
        "sample": chosen.select_related("user", "contact")[:SAMPLE],
        "hidden": max(shown["count"] - SAMPLE, 0),
        "title": rule.get_kind_display(),
        "crumbs": [(reverse("devices:cleanup-list"), _("Cleanup"))],
    }
    return render(request, "devices/cleanup_rule.html", context, status=422 if form.errors else 200)


@requires("settings.manage")
@require_POST
def cleanup_run(request: HttpRequest, kind: str) -> HttpResponse:
    user = request.user
    try:
        cleanup.run_now(rule=_find(request, kind), principal=user, actor=user.actor)
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, _("The cleanup is running. The history shows each entry."))
    return redirect("devices:cleanup-rule", kind)


def _find(request: HttpRequest, kind: str) -> CleanupRule:
    for rule in cleanup.rules(request.user.tenant):
        if rule.kind == kind:
            return rule
    raise Http404


def _shown(request: HttpRequest, rule: CleanupRule) -> dict[str, Any]:
    user = request.user
    may = user.has("settings.manage") and user.has(cleanup.KINDS[rule.kind].permission)
    return {"rule": rule, "count": cleanup.due(rule).count(), "may_change": may}

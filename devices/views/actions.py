"""Portal: one page for each action of the registry."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.urls.resolvers import URLPattern
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.access import requires
from core.views.actions import attempt, posted
from devices import actions
from devices.actions import Action
from devices.forms import ActionForm
from devices.models import Device
from devices.services import holds, wipes
from devices.views.portal import find, page_of


def routes() -> list[URLPattern]:
    """Return the addresses of all actions; apps above have registered theirs by now."""
    return [
        path(
            f"devices/<uuid:pk>/{action.slug}/",
            view_of(action),
            name=action.route.removeprefix("devices:"),
        )
        for action in actions.every()
        if action.route.startswith("devices:")
    ]


def view_of(action: Action) -> Callable[..., HttpResponse]:
    """Return the view of an action: asks and says the consequences first, or acts at once."""

    def view(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        device = find(request, pk)
        form = action.form_class(posted(request), device=device, user=request.user)
        if form.is_valid() and attempt(
            form, action.run, device=device, actor=request.user.actor, **form.params()
        ):
            return _done(request, action, device)
        return _ask(request, action, device, form)

    if action.needs_recent_sign_in:
        view = reauthentication_required(view)
    methods = ["GET", "POST"] if action.has_page else ["POST"]
    return requires(action.permission)(require_http_methods(methods)(view))


def _done(request: HttpRequest, action: Action, device: Device) -> HttpResponse:
    held = holds.waiting_for(device.pk) if action.key == wipes.KEY else None
    if held is not None:
        words = _("The wipe waits for a second administrator. This page follows it.")
        messages.warning(request, words)
        return redirect("devices:operation-detail", held.pk)
    messages.success(request, str(action.done))
    return redirect(action.leads_to or page_of(device))


def _ask(request: HttpRequest, action: Action, device: Device, form: ActionForm) -> HttpResponse:
    if not action.has_page:
        for problems in form.errors.values():
            messages.error(request, " ".join(str(problem) for problem in problems))
        return redirect(page_of(device))
    context = {
        "action": action,
        "device": device,
        "form": form,
        "title": str(action.question) % {"name": device.label},
        "submit_label": action.submit_label or action.label,
        "is_danger": action.is_destructive,
        "crumbs": [(reverse("devices:device-list"), _("Devices")), (page_of(device), device.label)],
        "cancel_url": page_of(device),
    }
    return render(request, action.template, context, status=422 if form.errors else 200)

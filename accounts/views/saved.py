"""Portal: views of a list that people save."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.forms import SavedViewForm
from accounts.models import SavedView
from accounts.services import views as service
from core.errors import DomainError
from core.views import chips
from core.views.actions import attempt, posted


def begin_with_default(request: HttpRequest) -> HttpResponse | None:
    """Lead to the view that somebody begins this list with, when they ask for nothing else."""
    name = request.resolver_match.view_name if request.resolver_match else ""
    if request.GET or name not in service.LISTS:
        return None
    view = service.default_of(request.user, name)
    return redirect(f"{request.path}?{view.query}&{chips.VIEW_FIELD}={view.pk}") if view else None


def menu(request: HttpRequest) -> dict[str, Any] | None:
    """Return the views of the list that is shown; one query."""
    name = request.resolver_match.view_name if request.resolver_match else ""
    if name not in service.LISTS:
        return None
    rows = SavedView.objects.visible_to(request.user).filter(list_name=name).select_related("owner")
    return {
        "list": name,
        "current": request.GET.get(chips.VIEW_FIELD, ""),
        "all_url": f"{request.path}?{chips.VIEW_FIELD}={chips.PLAIN_VIEW}",
        "views": [
            {
                "view": row,
                "key": str(row.pk),
                "is_own": row.owner_id == request.user.pk,
                "url": f"{request.path}?{row.query}&{chips.VIEW_FIELD}={row.pk}",
            }
            for row in rows[:200]
        ],
    }


@require_http_methods(["GET", "POST"])
def view_new(request: HttpRequest) -> HttpResponse:
    name = request.GET.get("list", "")
    if not request.user.has(service.LISTS.get(name, "")):
        raise Http404
    form, made = SavedViewForm(posted(request)), {}

    def save(**fields: Any) -> None:
        made["view"] = service.save(owner=request.user, actor=request.user.actor, **fields)

    query = request.GET.get("query", "")
    if form.is_valid() and attempt(form, save, list_name=name, query=query, **form.cleaned_data):
        messages.success(request, _("The view is saved."))
        view = made["view"]
        return redirect(f"{reverse(name)}?{view.query}&{chips.VIEW_FIELD}={view.pk}")
    context = {
        "form": form,
        "title": _("Save this view"),
        "lead": _("Filters, sorting and columns as they are now, under a name."),
        "submit_label": _("Save"),
        "cancel_url": f"{reverse(name)}?{query}" if query else reverse(name),
    }
    return render(request, "generic/form.html", context, status=422 if form.errors else 200)


@require_POST
def view_default(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    view = _find(request, pk)
    try:
        service.make_default(view=view, owner=request.user)
    except DomainError as error:
        messages.error(request, error.message)
    return redirect(f"{reverse(view.list_name)}?{view.query}&{chips.VIEW_FIELD}={view.pk}")


@require_POST
def view_delete(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    view = _find(request, pk)
    try:
        service.delete(view=view, owner=request.user, actor=request.user.actor)
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, _("The view is deleted."))
    return redirect(f"{reverse(view.list_name)}?{chips.VIEW_FIELD}={chips.PLAIN_VIEW}")


def _find(request: HttpRequest, pk: uuid.UUID) -> SavedView:
    return get_object_or_404(SavedView.objects.visible_to(request.user), pk=pk)

"""Portal: terms of service, their versions, and who accepted them."""

from __future__ import annotations

import uuid

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import requires
from accounts.forms import TermsForm
from accounts.models import TermsAcceptance, TermsOfService
from accounts.services import terms as service
from accounts.tables import AcceptanceTable
from core.views.actions import attempt, posted

PER_PAGE = 50


@requires("settings.view")
@require_safe
def terms_list(request: HttpRequest) -> HttpResponse:
    context = {
        "title": _("Terms"),
        "lead": _("What people read and accept before they register a device."),
        "versions": TermsOfService.objects.visible_to(request.user).with_counts()[:100],
    }
    return render(request, "settings/terms_list.html", context)


@requires("settings.view")
@require_safe
def terms_detail(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """One version with its text and, for those who may see people, who accepted it."""
    terms = _find(request, pk)
    rows = TermsAcceptance.objects.visible_to(request.user).filter(terms=terms)
    table = AcceptanceTable(rows.select_related("user"))
    table.paginator = Paginator(table.rows, PER_PAGE)
    table.page = table.paginator.get_page(request.GET.get("page"))
    context = {
        "terms": terms,
        "table": table,
        "title": terms.title,
        "crumbs": [(reverse("settings-terms"), _("Terms"))],
    }
    return render(request, "settings/terms_detail.html", context)


@requires("settings.manage")
@require_http_methods(["GET", "POST"])
def terms_new(request: HttpRequest) -> HttpResponse:
    user = request.user
    newest = TermsOfService.objects.visible_to(user).first()
    initial = {"title": newest.title, "text": newest.text} if newest else {}
    form, preview = TermsForm(posted(request), initial=initial), None
    if form.is_valid():
        if "preview" in request.POST:
            preview = form.cleaned_data
        elif attempt(
            form, service.publish, tenant=user.tenant, actor=user.actor, **form.cleaned_data
        ):
            messages.success(request, _("The new version is published."))
            return redirect("settings-terms")
    context = {
        "form": form,
        "preview": preview,
        "title": _("Publish a version of the terms"),
        "lead": _("Everybody is asked to accept it before the next registration."),
        "crumbs": [(reverse("settings-terms"), _("Terms"))],
        "cancel_url": reverse("settings-terms"),
    }
    return render(request, "settings/terms_new.html", context, status=422 if form.errors else 200)


@requires("settings.manage")
@require_http_methods(["GET", "POST"])
def terms_retire(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    words = {
        "title": _("Retire version %(number)d of the terms?"),
        "submit_label": _("Retire"),
        "consequences": _(
            "Nobody is asked to accept it any more. Who accepted it stays on record."
        ),
    }
    return _confirm(request, pk, service.retire, _("The version is retired."), words)


@requires("settings.manage")
@require_http_methods(["GET", "POST"])
def terms_delete(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    words = {
        "title": _("Delete version %(number)d of the terms?"),
        "submit_label": _("Delete"),
        "consequences": _("Its text is gone for good. A version that was accepted cannot go."),
    }
    return _confirm(request, pk, service.delete, _("The version is deleted."), words)


def _confirm(request: HttpRequest, pk: uuid.UUID, act, done: str, words: dict) -> HttpResponse:
    terms, form = _find(request, pk), forms.Form(posted(request))
    if form.is_valid() and attempt(form, act, terms=terms, actor=request.user.actor):
        messages.success(request, done)
        return redirect("settings-terms")
    context = {
        **words,
        "title": words["title"] % {"number": terms.version},
        "form": form,
        "is_danger": True,
        "crumbs": [(reverse("settings-terms"), _("Terms"))],
        "cancel_url": reverse("settings-terms"),
    }
    status = 422 if form.errors else 200
    return render(request, "settings/terms_confirm.html", context, status=status)


def _find(request: HttpRequest, pk: uuid.UUID) -> TermsOfService:
    rows = TermsOfService.objects.visible_to(request.user).with_counts()
    return get_object_or_404(rows, pk=pk)

"""Custom attributes: their definitions in the settings, their values on one device or person."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from accounts.access import requires
from accounts.models import AttributeDefinition
from accounts.services import attributes as service
from core.views.actions import attempt, posted
from mdm.attributes_ui import AttributeEditForm, AttributeForm, ValuesForm
from mdm.groups_ui import PAGES
from mdm.views.groups import about

LIST = "settings-attributes"


@requires("settings.view")
@require_GET
def attribute_list(request: HttpRequest) -> HttpResponse:
    rows = AttributeDefinition.objects.visible_to(request.user)
    context = {
        "title": _("Attributes"),
        "lead": _("What you want to know of devices and people beyond what every server knows."),
        "attributes": rows,
    }
    return render(request, "settings/attribute_list.html", context)


@requires("attributes.manage")
@require_http_methods(["GET", "POST"])
def attribute_new(request: HttpRequest) -> HttpResponse:
    form = AttributeForm(posted(request))
    user = request.user
    if form.is_valid() and attempt(
        form, service.define, tenant=user.tenant, actor=user.actor, **form.cleaned_data
    ):
        messages.success(request, _("The attribute is defined. Set it on devices or people now."))
        return redirect(LIST)
    words = {"title": _("Define an attribute"), "submit_label": _("Define")}
    return _form(request, "generic/form.html", form, **words)


@requires("attributes.manage")
@require_http_methods(["GET", "POST"])
def attribute_edit(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    row = _find(request, pk)
    form = AttributeEditForm(posted(request), instance=_find(request, pk))
    if form.is_valid() and attempt(
        form, service.edit, attribute=row, actor=request.user.actor, **form.cleaned_data
    ):
        messages.success(request, _("Saved."))
        return redirect(LIST)
    words = {"title": _("Change %(name)s") % {"name": row.label}, "submit_label": _("Save")}
    return _form(request, "generic/form.html", form, **words)


@requires("attributes.manage")
@require_http_methods(["GET", "POST"])
def attribute_delete(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    row, form = _find(request, pk), forms.Form(posted(request))
    if form.is_valid() and attempt(form, service.delete, attribute=row, actor=request.user.actor):
        messages.success(request, _("The attribute is deleted."))
        return redirect(LIST)
    words = {"title": _("Delete %(name)s?") % {"name": row.label}, "submit_label": _("Delete")}
    template = "settings/attribute_delete.html"
    more = {"count": service.count(row), "uses": service.used_by(row), "is_danger": True}
    return _form(request, template, form, **more, **words)


@requires("attributes.set")
@require_http_methods(["GET", "POST"])
def member_attributes(request: HttpRequest, kind: str, pk: uuid.UUID) -> HttpResponse:
    """The values of one device or person."""
    pages = PAGES[kind]
    member = get_object_or_404(pages.rows(request), pk=pk)
    rows = AttributeDefinition.objects.visible_to(request.user).filter(owner_kind=kind)
    found = service.values_of(shape=pages.shape, member=member)
    form = ValuesForm(posted(request), definitions=list(rows), found=found)
    if form.is_valid() and attempt(
        form,
        service.set_values,
        shape=pages.shape,
        member=member,
        values=form.values,
        actor=request.user.actor,
    ):
        messages.success(request, _("Saved."))
        return redirect(pages.member_page, member.pk)
    words = {"title": _("Attributes of %(name)s") % {"name": member}, "submit_label": _("Save")}
    context = {"form": form, "has_any": bool(form.definitions)} | words | about(pages, member)
    template = "groups/member_attributes.html"
    return render(request, template, context, status=422 if form.errors else 200)


def _find(request: HttpRequest, pk: uuid.UUID) -> AttributeDefinition:
    return get_object_or_404(AttributeDefinition.objects.visible_to(request.user), pk=pk)


def _form(request: HttpRequest, template: str, form: Any, **words: Any) -> HttpResponse:
    context = {
        "form": form,
        "crumbs": [(reverse(LIST), _("Attributes"))],
        "cancel_url": reverse(LIST),
    }
    status = 422 if form.errors else 200
    return render(request, template, context | words, status=status)

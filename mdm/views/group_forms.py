"""Makes, changes and deletes groups; rules are built with buttons that post the form back."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.access import requires
from accounts.models.group import Group
from accounts.services import group_rules
from accounts.services import groups as service
from core.rules import drafts
from core.rules.errors import RuleInvalid
from core.views.actions import attempt, posted
from mdm.groups_ui import PAGES, GroupForm, Pages
from mdm.views.groups import crumbs, find

SAVE = "save"


class Builder:
    """The rule of a form: what was posted, what a button made of it, and what it would choose."""

    def __init__(self, request: HttpRequest, pages: Pages, stored: dict[str, Any] | None) -> None:
        group_rules.check_may_ask(pages.shape, request.user)
        self.catalogue = pages.shape.catalogue(request.user.tenant_id)
        self.button = request.POST.get("do", SAVE) if request.method == "POST" else ""
        self.draft = stored or drafts.empty(self.catalogue)
        if request.method == "POST":
            read = drafts.read(request.POST, self.catalogue)
            self.draft = drafts.change(read, self.button, self.catalogue)
        self.errors: dict[str, str] = {}
        self.preview = self._preview(request, pages)

    def _preview(self, request: HttpRequest, pages: Pages) -> Any:
        try:
            return group_rules.preview(shape=pages.shape, principal=request.user, rule=self.draft)
        except RuleInvalid as error:
            self.errors = error.errors
        return None

    @property
    def is_saving(self) -> bool:
        return self.button == SAVE

    def context(self) -> dict[str, Any]:
        shown = self.errors if self.is_saving else {}
        return {
            "rule": drafts.drawn(self.draft, self.catalogue, shown),
            "sections": drafts.sections(self.catalogue),
            "rule_errors": [(drafts.name_of(path), text) for path, text in shown.items()],
            "preview": self.preview,
        }


@requires("groups.manage")
@require_http_methods(["GET", "POST"])
def group_new(request: HttpRequest, kind: str) -> HttpResponse:
    pages, form, made = PAGES[kind], GroupForm(posted(request)), {}
    if form.is_valid() and attempt(form, _make, made=made, pages=pages, request=request, form=form):
        messages.success(request, _("The group is made. Now say who is in it."))
        return redirect(pages.url("members-add", made["group"].pk))
    words = {"title": _("Make a manual group"), "submit_label": _("Make the group")}
    return _form(request, "groups/group_form.html", pages, form, **words)


@requires("groups.manage")
@require_http_methods(["GET", "POST"])
def rule_new(request: HttpRequest, kind: str) -> HttpResponse:
    pages, made = PAGES[kind], {}
    builder = Builder(request, pages, None)
    form = GroupForm(posted(request) if builder.is_saving else None, initial=_typed(request))
    if _may_save(builder, form) and attempt(
        form, _make, made=made, pages=pages, request=request, form=form, rule=builder.draft
    ):
        messages.success(request, _("The group is made. Its members appear within seconds."))
        return redirect(pages.url("detail", made["group"].pk))
    words = {"title": _("Make a dynamic group"), "submit_label": _("Make the group")}
    return _form(request, "groups/rule_form.html", pages, form, builder=builder, **words)


@requires("groups.manage")
@require_http_methods(["GET", "POST"])
def group_edit(request: HttpRequest, kind: str, pk: uuid.UUID) -> HttpResponse:
    pages = PAGES[kind]
    group = find(request, pages, pk)
    if group.is_builtin:
        return _refused(request, pages, group)
    builder = None if group.is_manual else Builder(request, pages, group.rule)
    is_saving = builder is None or builder.is_saving
    initial = {"name": group.name, "description": group.description} | _typed(request)
    form = GroupForm(posted(request) if is_saving else None, initial=initial)
    rule = {"rule": builder.draft} if builder else {}
    if _may_save(builder, form) and attempt(
        form, service.edit, group=group, actor=request.user.actor, **form.cleaned_data, **rule
    ):
        messages.success(request, _("Saved."))
        return redirect(pages.url("detail", group.pk))
    template = "groups/rule_form.html" if builder else "groups/group_form.html"
    words = {"title": _("Change %(name)s") % {"name": group.label}, "submit_label": _("Save")}
    return _form(request, template, pages, form, group=group, builder=builder, **words)


@requires("groups.manage")
@require_http_methods(["GET", "POST"])
def group_delete(request: HttpRequest, kind: str, pk: uuid.UUID) -> HttpResponse:
    pages = PAGES[kind]
    group, form = find(request, pages, pk), forms.Form(posted(request))
    if group.is_builtin:
        return _refused(request, pages, group)
    if form.is_valid() and attempt(form, service.delete, group=group, actor=request.user.actor):
        messages.success(request, _("The group is deleted. Nobody was deleted with it."))
        return redirect(pages.url("list"))
    context = {
        "form": form,
        "group": group,
        "uses": service.used_by(group),
        "title": _("Delete %(name)s?") % {"name": group.label},
        "submit_label": _("Delete"),
        "is_danger": True,
        "crumbs": crumbs(pages, group),
        "cancel_url": pages.url("detail", group.pk),
    }
    return render(request, "groups/group_delete.html", context, status=422 if form.errors else 200)


def _make(
    *, made: dict[str, Any], pages: Pages, request: HttpRequest, form: Any, rule=None
) -> None:
    made["group"] = service.create(
        shape=pages.shape,
        tenant=request.user.tenant,
        actor=request.user.actor,
        rule=rule,
        **form.cleaned_data,
    )


def _may_save(builder: Builder | None, form: forms.Form) -> bool:
    if builder is None:
        return form.is_valid()
    is_valid = builder.is_saving and form.is_valid()
    return is_valid and not builder.errors


def _typed(request: HttpRequest) -> dict[str, str]:
    """Keep what was typed beside the rule while a button changes the rule."""
    return {name: request.POST[name] for name in ("name", "description") if name in request.POST}


def _refused(request: HttpRequest, pages: Pages, group: Group) -> HttpResponse:
    messages.error(request, _("Built-in groups cannot be changed or deleted."))
    return redirect(pages.url("detail", group.pk))


def _form(
    request: HttpRequest,
    template: str,
    pages: Pages,
    form: forms.Form,
    *,
    group: Group | None = None,
    builder: Builder | None = None,
    **words: Any,
) -> HttpResponse:
    rule = builder.context() if builder else {}
    is_wrong = bool(form.errors or rule.get("rule_errors"))
    context = {
        "form": form,
        "pages": pages,
        "crumbs": crumbs(pages, group),
        "cancel_url": pages.url("detail", group.pk) if group else pages.url("list"),
        "is_wrong": is_wrong,
    }
    return render(request, template, context | rule | words, status=422 if is_wrong else 200)

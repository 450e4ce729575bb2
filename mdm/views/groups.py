"""Groups of devices and of people: the lists, one group with its members, who comes and goes."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import requires
from accounts.filters import GroupFilterSet
from accounts.models.group import Group
from accounts.services import group_rules
from accounts.services import groups as service
from core.errors import DomainError
from core.rules import described
from core.rules.errors import RuleInvalid
from core.views.actions import attempt, posted
from core.views.lists import list_page
from mdm.groups_ui import (
    PAGES,
    ChooseGroupForm,
    GroupTable,
    MemberGroupsForm,
    Pages,
    selected_ids,
)


def find(request: HttpRequest, pages: Pages, pk: uuid.UUID) -> Group:
    return get_object_or_404(pages.groups(request).select_related("tenant"), pk=pk)


def crumbs(pages: Pages, group: Group | None = None) -> list[tuple[str, str]]:
    own = [(pages.url("detail", group.pk), str(group.label))] if group else []
    return [(pages.url("list"), str(pages.title)), *own]


@requires("groups.view")
@require_GET
def group_list(request: HttpRequest, kind: str) -> HttpResponse:
    pages = PAGES[kind]
    return list_page(
        request,
        template="groups/group_list.html",
        filters=GroupFilterSet(request.GET, queryset=pages.groups(request), request=request),
        table_class=GroupTable,
        title=pages.title,
        lead=pages.lead,
        pages=pages,
        here="groups",
    )


@requires("groups.view")
@require_GET
def group_detail(request: HttpRequest, kind: str, pk: uuid.UUID) -> HttpResponse:
    pages = PAGES[kind]
    group = find(request, pages, pk)
    may_change = group.is_manual and request.user.has("groups.manage")
    members = pages.rows(request).filter(group_memberships__group_id=group.pk)
    return list_page(
        request,
        template="groups/group_detail.html",
        filters=pages.filters(request.GET, queryset=members, request=request),
        table_class=pages.choice_table if may_change else pages.member_table,
        annotations=pages.annotations,
        title=group.label,
        crumbs=crumbs(pages),
        pages=pages,
        group=group,
        may_change=may_change,
        may_see=request.user.has(pages.view_permission),
        rule=None if group.is_manual else _in_words(pages, group),
        uses=[(PAGES[use.kind].url("detail", use.pk), use.label) for use in service.used_by(group)],
    )


def _in_words(pages: Pages, group: Group) -> dict[str, Any]:
    catalogue = pages.shape.catalogue(group.tenant_id)
    try:
        rule = group_rules.rule_of(group, catalogue)
    except RuleInvalid as error:
        return {"problem": error.message}
    return described.nested(rule, catalogue)


@requires("groups.manage")
@require_http_methods(["GET", "POST"])
def members_add(request: HttpRequest, kind: str, pk: uuid.UUID) -> HttpResponse:
    """Who is not in the group yet, with boxes to put them in."""
    pages = PAGES[kind]
    group = find(request, pages, pk)
    _check_may_see(request, pages)
    if request.method == "POST":
        return _move(request, pages, group, service.add_members)
    others = pages.rows(request).exclude(group_memberships__group_id=group.pk)
    return list_page(
        request,
        template="groups/members_add.html",
        filters=pages.filters(request.GET, queryset=others, request=request),
        table_class=pages.choice_table,
        annotations=pages.annotations,
        title=_("Add to %(name)s") % {"name": group.label},
        crumbs=crumbs(pages, group),
        pages=pages,
        group=group,
    )


@requires("groups.manage")
@require_POST
def members_remove(request: HttpRequest, kind: str, pk: uuid.UUID) -> HttpResponse:
    pages = PAGES[kind]
    return _move(request, pages, find(request, pages, pk), service.remove_members)


def _move(request: HttpRequest, pages: Pages, group: Group, move: Any) -> HttpResponse:
    ids = selected_ids(request, pages.rows(request))
    try:
        count = move(group=group, ids=ids, actor=request.user.actor)
    except DomainError as error:
        messages.error(request, error.message)
    else:
        _tell(request, count, group, came=move is service.add_members)
    return redirect(pages.url("detail", group.pk))


def _tell(request: HttpRequest, count: int, group: Group, *, came: bool) -> None:
    if not count:
        messages.info(request, _("Nothing was changed: choose rows first."))
        return
    words = (
        ngettext("%(count)d was added to %(name)s.", "%(count)d were added to %(name)s.", count)
        if came
        else ngettext(
            "%(count)d was taken out of %(name)s.", "%(count)d were taken out of %(name)s.", count
        )
    )
    messages.success(request, words % {"count": count, "name": group.label})


@requires("groups.manage")
@require_http_methods(["GET", "POST"])
def group_choose(request: HttpRequest, kind: str) -> HttpResponse:
    """Put the rows that were ticked in a list into a manual group."""
    pages = PAGES[kind]
    _check_may_see(request, pages)
    manual = pages.groups(request).manual()
    form = ChooseGroupForm(request.POST if "group" in request.POST else None, groups=manual)
    ids = selected_ids(request, pages.rows(request))
    if form.is_valid() and attempt(
        form,
        service.add_members,
        group=form.cleaned_data["group"],
        ids=ids,
        actor=request.user.actor,
    ):
        _tell(request, len(ids), form.cleaned_data["group"], came=True)
        return redirect(pages.url("detail", form.cleaned_data["group"].pk))
    title = ngettext("Add %(count)d to a group", "Add %(count)d to a group", len(ids))
    context = {
        "form": form,
        "ids": ids,
        "pages": pages,
        "has_groups": manual.exists(),
        "title": title % {"count": len(ids)},
        "submit_label": _("Add to the group"),
        "crumbs": crumbs(pages),
        "cancel_url": pages.url("list"),
    }
    return render(request, "groups/group_choose.html", context, status=422 if form.errors else 200)


@requires("groups.manage")
@require_http_methods(["GET", "POST"])
def member_groups(request: HttpRequest, kind: str, pk: uuid.UUID) -> HttpResponse:
    """The manual groups of one device or person."""
    pages = PAGES[kind]
    member = get_object_or_404(pages.rows(request), pk=pk)
    manual = pages.groups(request).manual()
    current = manual.filter(memberships__in=member.group_memberships.all())
    form = MemberGroupsForm(posted(request), groups=manual, initial={"groups": current})
    if form.is_valid() and attempt(
        form,
        service.set_manual_groups,
        shape=pages.shape,
        member=member,
        groups=form.cleaned_data["groups"],
        actor=request.user.actor,
    ):
        messages.success(request, _("The groups are changed."))
        return redirect(pages.member_page, member.pk)
    context = {
        "form": form,
        "pages": pages,
        "has_groups": manual.exists(),
        "title": _("Groups of %(name)s") % {"name": member},
        "submit_label": _("Save"),
        **about(pages, member),
    }
    return render(request, "groups/member_groups.html", context, status=422 if form.errors else 200)


def about(pages: Pages, member: Any) -> dict[str, Any]:
    own = reverse(pages.member_page, args=[member.pk])
    list_url = reverse(pages.list_name)
    return {
        "crumbs": [(list_url, str(pages.list_title)), (own, str(member))],
        "cancel_url": own,
    }


def _check_may_see(request: HttpRequest, pages: Pages) -> None:
    if not request.user.has(pages.view_permission):
        raise PermissionDenied(pages.view_permission)

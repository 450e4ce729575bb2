"""Portal: approvals by a second administrator, the wipe log, wipe limit and emergency freeze."""

from __future__ import annotations

import uuid

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods

from accounts.access import requires
from core.errors import DomainError
from core.views.actions import attempt, posted
from core.views.lists import list_page
from devices.bulk_filters import WipeFilterSet
from devices.bulk_forms import LimitForm, StopForm
from devices.bulk_tables import WipeTable
from devices.models import Hold, HoldState, WipeOrder
from devices.services import holds, requesters, safeguards
from devices.views.operations import page_of, tabs
from devices.wipe_rules import MAX_IN_WINDOW, MAX_SHARE_PERCENT, SHARE_FROM


def find(request: HttpRequest, pk: uuid.UUID) -> Hold:
    """Return what waits for approval, or raise Http404."""
    rows = Hold.objects.visible_to(request.user).select_related("operation", "requester", "tenant")
    return get_object_or_404(rows, pk=pk)


@requires("devices.view")
@require_GET
def hold_detail(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    hold = find(request, pk)
    context = {
        "hold": hold,
        "is_waiting": hold.state == HoldState.WAITING,
        "may_approve": requesters.may_approve(request.user, requester=hold.requester),
        "why_not": _why_not(request, hold),
        "approvers": requesters.approvers(hold.tenant_id, requester=hold.requester),
        "is_frozen": safeguards.of(hold.tenant_id).is_frozen,
        "targets": _targets(hold),
        "title": _title(hold),
        "crumbs": [(reverse("devices:operation-list"), _("Operations"))],
    }
    return render(request, "operations/hold_detail.html", context)


def _why_not(request: HttpRequest, hold: Hold) -> str:
    try:
        requesters.check_may_approve(request.user, requester=hold.requester)
    except DomainError as error:
        return error.message
    return ""


def _title(hold: Hold) -> str:
    if hold.operation is None:
        return _("Higher wipe limit")
    count = hold.operation.total
    return ngettext("Wipe of %(count)d device", "Wipe of %(count)d devices", count) % {
        "count": count
    }


def _targets(hold: Hold):
    if hold.operation is None:
        return []
    rows = hold.operation.targets.select_related("device__user").exclude(state="skipped")
    return rows.order_by("label", "pk")


@requires("devices.wipe")
@reauthentication_required
@require_http_methods(["GET", "POST"])
def hold_approve(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Show the exact list once more, and approve what was shown: its hash comes back."""
    hold = find(request, pk)
    if request.method == "POST":
        try:
            shown = request.POST.get("hash", "")
            hold = holds.approve(hold=hold, approver=request.user, shown_hash=shown)
        except DomainError as error:
            messages.error(request, error.message)
        else:
            messages.success(request, _("Approved. Whoever ordered it is told by mail."))
        return redirect(_page_of(hold))
    context = {
        "hold": hold,
        "targets": _targets(hold),
        "title": _("Approve: %(what)s?") % {"what": _title(hold)},
        "submit_label": _("Approve"),
        "is_danger": True,
        "crumbs": [(_page_of(hold), _title(hold))],
        "cancel_url": _page_of(hold),
    }
    return render(request, "operations/hold_approve.html", context)


@requires("devices.view")
@require_http_methods(["GET", "POST"])
def hold_stop(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    hold, form = find(request, pk), StopForm(posted(request))
    if form.is_valid() and attempt(
        form, holds.stop_by, hold=hold, principal=request.user, reason=form.cleaned_data["reason"]
    ):
        messages.success(request, _("Stopped. Nothing of it happens."))
        return redirect(_page_of(hold))
    context = {
        "form": form,
        "title": _("Stop: %(what)s?") % {"what": _title(hold)},
        "submit_label": _("Stop it"),
        "crumbs": [(_page_of(hold), _title(hold))],
        "cancel_url": _page_of(hold),
    }
    status = 422 if form.errors else 200
    return render(request, "operations/hold_stop.html", context, status=status)


def _page_of(hold: Hold) -> str:
    if hold.operation is not None and hold.state != HoldState.WAITING:
        return page_of(hold.operation)
    return reverse("devices:hold-detail", args=[hold.pk])


@requires("devices.view")
@require_GET
def wipe_list(request: HttpRequest) -> HttpResponse:
    rows = WipeOrder.objects.visible_to(request.user)
    return list_page(
        request,
        template="operations/wipe_list.html",
        filters=WipeFilterSet(request.GET, queryset=rows, request=request),
        table_class=WipeTable,
        title=_("Operations"),
        tabs=tabs("wipe-list"),
    )


@requires("settings.view")
@require_GET
def protection(request: HttpRequest) -> HttpResponse:
    tenant = request.user.tenant
    row = safeguards.of(tenant.pk)
    context = {
        "row": row,
        "coming": holds.coming_limit(tenant.pk),
        "waiting": Hold.objects.filter(tenant=tenant).waiting().select_related("operation"),
        "rules": {"many": MAX_IN_WINDOW, "percent": MAX_SHARE_PERCENT, "from": SHARE_FROM},
        "title": _("Wipe protection"),
        "lead": _("What keeps a stolen or mistaken administrator from wiping the fleet."),
    }
    return render(request, "settings/protection.html", context)


@requires("settings.manage")
@reauthentication_required
@require_http_methods(["GET", "POST"])
def protection_limit(request: HttpRequest) -> HttpResponse:
    tenant = request.user.tenant
    initial = {"wipe_limit": safeguards.of(tenant.pk).wipe_limit}
    form = LimitForm(posted(request), initial=initial)
    if form.is_valid() and attempt(
        form,
        holds.change_limit,
        tenant=tenant,
        actor=request.user.actor,
        limit=form.cleaned_data["wipe_limit"],
        reason=form.cleaned_data["reason"],
    ):
        is_higher = form.cleaned_data["wipe_limit"] > initial["wipe_limit"]
        words = {
            True: _("The higher limit waits: a second administrator is asked, and 24 hours pass."),
            False: _("Saved."),
        }
        messages.success(request, words[is_higher])
        return redirect("devices:protection")
    context = _form(form, _("Change the wipe limit"), _("Save"))
    return render(request, "generic/form.html", context, status=422 if form.errors else 200)


def _form(form, title: str, label: str) -> dict:
    page = reverse("devices:protection")
    crumbs = [(page, _("Wipe protection"))]
    words = {"title": title, "submit_label": label}
    return words | {"form": form, "crumbs": crumbs, "cancel_url": page}


@requires("devices.freeze")
@require_http_methods(["GET", "POST"])
def freeze(request: HttpRequest) -> HttpResponse:
    form = StopForm(posted(request))
    if form.is_valid() and attempt(
        form,
        safeguards.freeze,
        tenant=request.user.tenant,
        actor=request.user.actor,
        reason=form.cleaned_data["reason"],
    ):
        messages.success(request, _("Destructive orders are frozen."))
        return redirect("devices:protection")
    context = _form(form, _("Freeze destructive orders?"), _("Freeze now")) | {"is_danger": True}
    status = 422 if form.errors else 200
    return render(request, "operations/freeze.html", context, status=status)


@requires("devices.freeze")
@reauthentication_required
@require_http_methods(["GET", "POST"])
def lift(request: HttpRequest) -> HttpResponse:
    form = StopForm(posted(request))
    if form.is_valid() and attempt(
        form,
        safeguards.lift,
        tenant=request.user.tenant,
        actor=request.user.actor,
        reason=form.cleaned_data["reason"],
    ):
        messages.success(request, _("The freeze is lifted. Orders that waited are handed out."))
        return redirect("devices:protection")
    context = _form(form, _("Lift the freeze?"), _("Lift the freeze")) | {"is_danger": True}
    status = 422 if form.errors else 200
    return render(request, "operations/lift.html", context, status=status)

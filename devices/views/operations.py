"""Portal: orders to many devices, from the selection to the last answer."""

from __future__ import annotations

import uuid
from typing import Any

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import requires
from core.errors import DomainError
from core.views.actions import posted
from core.views.lists import list_page
from devices import actions, selections
from devices.actions import Action
from devices.bulk_filters import OperationFilterSet, TargetFilterSet
from devices.bulk_forms import ConfirmForm, shown_of, values_of
from devices.bulk_tables import OperationTable, TargetTable
from devices.errors import NotSupported, UnknownDevices, UnknownFilter, WipeLimitReached
from devices.models import Device, Operation
from devices.progress import Progress
from devices.selections import Selection
from devices.services import operation_rows, operations, wipes


def find(request: HttpRequest, pk: uuid.UUID) -> Operation:
    """Return a bulk order that the person may see, or raise Http404."""
    rows = Operation.objects.visible_to(request.user).select_related("hold", "requester", "tenant")
    return get_object_or_404(rows, pk=pk)


def page_of(operation: Operation) -> str:
    return reverse("devices:operation-detail", args=[operation.pk])


def tabs(current: str) -> list[dict[str, Any]]:
    """Return the lists that stand beside each other."""
    names = {"operation-list": _("Bulk orders"), "wipe-list": _("Wipe log")}
    return [
        {"url": reverse(f"devices:{name}"), "label": label, "is_current": name == current}
        for name, label in names.items()
    ]


@requires("devices.view")
@require_GET
def operation_list(request: HttpRequest) -> HttpResponse:
    rows = Operation.objects.visible_to(request.user).defer("sealed_form", "shown", "query")
    return list_page(
        request,
        template="operations/operation_list.html",
        filters=OperationFilterSet(request.GET, queryset=rows, request=request),
        table_class=OperationTable,
        title=_("Operations"),
        tabs=tabs("operation-list"),
    )


@requires("devices.view")
@require_http_methods(["GET", "POST"])
def operation_new(request: HttpRequest) -> HttpResponseBase:
    """Ask and confirm. Devices and action are in the address, so that it can be reloaded."""
    if not request.GET.get("action") or not _is_selected(request):
        messages.warning(request, _("Select devices, and what to do with them, first."))
        return redirect("devices:device-list")
    action = _action(request)
    if action.needs_recent_sign_in:
        return reauthentication_required(_confirm)(request, action)
    return _confirm(request, action)


def _is_selected(request: HttpRequest) -> bool:
    return any(any(request.GET.getlist(name)) for name in ("retry", "all", "device"))


def _action(request: HttpRequest) -> Action:
    try:
        action = actions.find(request.GET.get("action", ""))
    except NotSupported:
        raise Http404 from None
    if not action.is_bulk:
        raise Http404
    if not request.user.has(action.permission):
        raise PermissionDenied(action.permission)
    return action


def _selection(request: HttpRequest) -> Selection:
    try:
        if request.GET.get("retry"):
            return selections.failed(request.user, find(request, uuid.UUID(request.GET["retry"])))
        if request.GET.get("all"):
            return selections.matching(request.user, request.GET.get("query", ""))
        return selections.chosen(request.user, request.GET.getlist("device"))
    except (UnknownDevices, UnknownFilter, ValueError):
        raise Http404 from None


def _confirm(request: HttpRequest, action: Action) -> HttpResponse:
    selection = _selection(request)
    survey = operations.survey(action, selection.devices)
    form = action.form_class(posted(request), device=None, user=request.user)
    confirm = ConfirmForm(posted(request), action=action, count=survey.count)
    if form.is_valid() & confirm.is_valid():
        operation = _order(request, action, selection, form, confirm)
        if operation is not None:
            return redirect(page_of(operation))
    return _ask(request, action, survey, form, confirm)


def _order(request: HttpRequest, action: Action, selection: Selection, form, confirm):
    try:
        return operations.create(
            principal=request.user,
            action_key=action.key,
            devices=selection.devices,
            query=selection.query,
            retry_of=selection.retry_of,
            form=values_of(form),
            shown=shown_of(form),
            reason=form.cleaned_data.get("reason", ""),
            **confirm.cleaned_data,
        )
    except DomainError as error:
        target = confirm if error.field in confirm.fields else form
        target.add_error(error.field if error.field in target.fields else None, error.message)
    return None


def _warnings(request: HttpRequest, action: Action, count: int) -> list[str]:
    """Return what will stop or hold a wipe, before somebody has filled in everything."""
    if action.key != wipes.KEY or not count:
        return []
    tenant_id = request.user.tenant_id
    try:
        wipes.check_limit(tenant_id, wanted=count)
    except WipeLimitReached as refusal:
        return [refusal.message]
    if wipes.hold_reason(tenant_id, wanted=count, actor=request.user.actor):
        return [_("A second administrator has to approve this. Nothing happens before.")]
    return []


def _ask(request: HttpRequest, action: Action, survey, form, confirm) -> HttpResponse:
    context = {
        "action": action,
        "survey": survey,
        "warnings": _warnings(request, action, survey.count),
        "excluded": [
            (operation_rows.reason_words(code, ""), count)
            for code, count in sorted(survey.excluded.items())
        ],
        "more": survey.count - len(survey.sample),
        "form": form,
        "confirm": confirm,
        "has_errors": bool(form.errors or confirm.errors),
        "title": _("%(action)s: several devices") % {"action": action.label},
        "submit_label": operations.phrase(action, survey.count),
        "is_danger": action.is_destructive,
        "crumbs": [(reverse("devices:device-list"), _("Devices"))],
        "cancel_url": reverse("devices:device-list"),
    }
    # The number that was posted may be stale; the next try confirms what is shown now.
    confirm.data = confirm.data.copy() if confirm.is_bound else confirm.data
    if confirm.is_bound:
        confirm.data[confirm.add_prefix("expected")] = survey.count
    status = 422 if context["has_errors"] else 200
    return render(request, "operations/operation_new.html", context, status=status)


@requires("devices.view")
@require_GET
def operation_detail(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Also answers its own polls: 204 while nothing changed, else the page to take parts from."""
    operation = find(request, pk)
    progress = Progress(operation, request.user)
    if request.GET.get("seen") == progress.digest:
        return HttpResponse(status=204)
    # The links of the page must not carry what a poll asked for.
    request.GET = request.GET.copy()  # type: ignore[assignment]
    request.GET.pop("seen", None)
    rows = operation.targets.select_related("command__device", "device")
    return list_page(
        request,
        template="operations/operation_detail.html",
        filters=TargetFilterSet(request.GET, queryset=rows, request=request),
        table_class=TargetTable,
        operation=operation,
        progress=progress,
        title=progress.title,
        crumbs=[(reverse("devices:operation-list"), _("Operations"))],
    )


@requires("devices.view")
@require_POST
def operation_cancel(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    operation = find(request, pk)
    try:
        done = operations.cancel(operation=operation, principal=request.user)
    except DomainError as error:
        messages.error(request, error.message)
    else:
        words = ngettext(
            "%(count)d device was not reached by it. What has left cannot be called back.",
            "%(count)d devices were not reached by it. What has left cannot be called back.",
            done.cancelled_count,
        )
        messages.success(request, words % {"count": done.cancelled_count})
    return redirect(page_of(operation))


@requires("devices.view")
@require_POST
def operation_retry(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    operation = find(request, pk)
    action = actions.find(operation.action)
    if action.is_destructive:
        query = f"?action={action.key}&retry={operation.pk}"
        return redirect(reverse("devices:operation-new") + query)
    try:
        again = operations.retry(
            operation=operation,
            principal=request.user,
            devices=Device.objects.visible_to(request.user),
        )
    except DomainError as error:
        messages.error(request, error.message)
        return redirect(page_of(operation))
    messages.success(request, _("What failed is tried again. This page follows it."))
    return redirect(page_of(again))

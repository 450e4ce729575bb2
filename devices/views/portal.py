"""Portal: the list of devices and the actions on one of them."""

from __future__ import annotations

import uuid

from allauth.account.decorators import reauthentication_required
from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import requires
from core.errors import DomainError
from core.views.actions import attempt, posted
from core.views.lists import list_page
from devices import channels
from devices.errors import NotSupported
from devices.filters import DeviceFilterSet
from devices.forms import LockForm, ReasonForm, WipeForm
from devices.models import Device
from devices.services import actions, lifecycle, pins
from devices.tables import DeviceTable


def find(request: HttpRequest, pk: uuid.UUID) -> Device:
    """Return a device that the person may see, or raise Http404."""
    rows = Device.objects.visible_to(request.user).select_related("user", "contact", "tenant")
    return get_object_or_404(rows, pk=pk)


def page_of(device: Device) -> str:
    return reverse("device-detail", args=[device.pk])


def offered(device: Device) -> frozenset[str]:
    """Return the actions that the device understands in its present state."""
    try:
        backend = channels.backend_of(device.channel_kind)
    except NotSupported:
        return frozenset()
    return backend.actions(device) if device.is_managed else frozenset()


@requires("devices.view")
@require_GET
def device_list(request: HttpRequest) -> HttpResponse:
    rows = Device.objects.visible_to(request.user).select_related("user", "contact")
    return list_page(
        request,
        template="devices/device_list.html",
        filters=DeviceFilterSet(request.GET, queryset=rows, request=request),
        table_class=DeviceTable,
        title=_("Devices"),
    )


@requires("devices.check_in")
@require_POST
def device_check_in(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    device = find(request, pk)
    try:
        actions.check_in(device=device, actor=request.user.actor)
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(
            request, _("The device was asked to contact us. Fresh facts appear when it has.")
        )
    return redirect(page_of(device))


@requires("devices.lock")
@require_http_methods(["GET", "POST"])
def device_lock(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    device, form = find(request, pk), LockForm(posted(request))
    if form.is_valid() and attempt(
        form, actions.lock, device=device, actor=request.user.actor, **form.cleaned_data
    ):
        messages.success(request, _("The lock is ordered. The page shows when it is done."))
        return redirect(page_of(device))
    words = {"title": _("Lock %(name)s?"), "submit_label": _("Lock")}
    return _confirm(request, "devices/device_lock.html", device, form, **words)


@requires("devices.retire")
@require_http_methods(["GET", "POST"])
def device_retire(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    device, form = find(request, pk), ReasonForm(posted(request))
    if form.is_valid() and attempt(
        form,
        lifecycle.request_retire,
        device=device,
        actor=request.user.actor,
        reason=form.cleaned_data["reason"],
    ):
        messages.success(request, _("Retire is ordered. Cancel it before the device has it."))
        return redirect(page_of(device))
    words = {"title": _("Retire %(name)s?"), "submit_label": _("Retire")}
    return _confirm(request, "devices/device_retire.html", device, form, **words)


@requires("devices.wipe")
@reauthentication_required
@require_http_methods(["GET", "POST"])
def device_wipe(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    device = find(request, pk)
    form = WipeForm(posted(request), device=device)
    if form.is_valid() and attempt(
        form,
        lifecycle.request_wipe,
        device=device,
        actor=request.user.actor,
        **form.cleaned_data,
    ):
        messages.success(request, _("Wipe is ordered. Cancel it before the device has it."))
        return redirect(page_of(device))
    words = {"title": _("Wipe %(name)s?"), "submit_label": _("Wipe this device")}
    return _confirm(request, "devices/device_wipe.html", device, form, is_danger=True, **words)


@requires("devices.cancel")
@require_POST
def order_cancel(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    device = find(request, pk)
    try:
        lifecycle.cancel_order(device=device, actor=request.user.actor)
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, _("The order is cancelled. The device stays as it is."))
    return redirect(page_of(device))


@requires("devices.delete")
@require_http_methods(["GET", "POST"])
def device_delete(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    device, form = find(request, pk), forms.Form(posted(request))
    if form.is_valid() and attempt(form, lifecycle.delete, device=device, actor=request.user.actor):
        messages.success(request, _("The entry is deleted. The history keeps what happened."))
        return redirect("devices:device-list")
    words = {"title": _("Delete the entry of %(name)s?"), "submit_label": _("Delete")}
    return _confirm(request, "devices/device_delete.html", device, form, is_danger=True, **words)


@requires("devices.reveal_pin")
@reauthentication_required
@require_http_methods(["GET", "POST"])
def pin_reveal(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    device, pin = find(request, pk), None
    if request.method == "POST":
        pin = pins.reveal_pin(device=device, actor=request.user.actor)
    context = {"device": device, "pin": pin, "cancel_url": page_of(device)}
    return render(request, "devices/pin_reveal.html", context)


def _confirm(request: HttpRequest, template: str, device: Device, form, **words) -> HttpResponse:
    words["title"] %= {"name": device.label}
    context = {
        "device": device,
        "form": form,
        "crumbs": [(reverse("devices:device-list"), _("Devices")), (page_of(device), device.label)],
        "cancel_url": page_of(device),
    }
    return render(request, template, context | words, status=422 if form.errors else 200)

"""Self-service: what people do to their own devices, with the consequences said first."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import partial

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from core.errors import DomainError
from core.views.actions import attempt, posted
from devices.forms import LockForm, LostModeForm, ReasonForm, WhyForm, WipeForm
from devices.models import Device
from devices.services import holds, self_service


def find(request: HttpRequest, pk: uuid.UUID) -> Device:
    """Return one of the person's own devices, or raise Http404."""
    rows = Device.objects.of_person(request.user).select_related("contact", "tenant", "user")
    return get_object_or_404(rows, pk=pk)


def page_of(device: Device) -> str:
    return reverse("me-device", args=[device.pk])


def find_for(request: HttpRequest, pk: uuid.UUID, action: str) -> Device:
    """Return an own device that the action is offered for; its page says nothing of others."""
    device = find(request, pk)
    if action not in self_service.offered(device=device, user=request.user):
        raise Http404
    return device


@require_POST
def device_check_in(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    device = find(request, pk)
    done = _("Your device was asked to get in touch. This takes a minute if it is online.")
    return _do(request, device, self_service.check_in, done)


@require_http_methods(["GET", "POST"])
def device_lock(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    device, form = find_for(request, pk, "lock"), LockForm(posted(request))
    if form.is_valid() and attempt(
        form, self_service.lock, device=device, user=request.user, **form.cleaned_data
    ):
        messages.success(request, _("The lock is ordered. This page says when it is done."))
        return redirect(page_of(device))
    words = {"title": _("Lock %(name)s?"), "submit_label": _("Lock")}
    return _confirm(request, "me/device_lock.html", device, form, **words)


@require_http_methods(["GET", "POST"])
def device_retire(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    device, form = find_for(request, pk, "retire"), ReasonForm(posted(request))
    if form.is_valid() and attempt(
        form, self_service.retire, device=device, user=request.user, **form.cleaned_data
    ):
        messages.success(request, _("Retire is ordered. You can cancel until the device has it."))
        return redirect(page_of(device))
    words = {"title": _("Retire %(name)s?"), "submit_label": _("Retire")}
    return _confirm(request, "me/device_retire.html", device, form, **words)


@reauthentication_required
@require_http_methods(["GET", "POST"])
def device_wipe(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    device = find_for(request, pk, "wipe")
    form = WipeForm(posted(request), device=device)
    if form.is_valid() and attempt(
        form, self_service.wipe, device=device, user=request.user, **form.cleaned_data
    ):
        if holds.waiting_for(device.pk) is None:
            messages.success(request, _("Wipe is ordered. You can cancel until the device has it."))
        else:
            messages.warning(request, _("The wipe waits: an administrator has to approve it."))
        return redirect(page_of(device))
    words = {"title": _("Wipe %(name)s?"), "submit_label": _("Wipe this device")}
    return _confirm(request, "me/device_wipe.html", device, form, is_danger=True, **words)


@reauthentication_required
@require_http_methods(["GET", "POST"])
def device_clear_passcode(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    device, form = find_for(request, pk, "clear_passcode"), WhyForm(posted(request))
    if form.is_valid() and attempt(
        form, self_service.clear_passcode, device=device, user=request.user, **form.cleaned_data
    ):
        messages.success(request, _("The passcode will be removed. This page says when it is."))
        return redirect(page_of(device))
    words = {"title": _("Remove the passcode of %(name)s?"), "submit_label": _("Remove it")}
    return _confirm(request, "me/device_clear_passcode.html", device, form, **words)


@reauthentication_required
@require_http_methods(["GET", "POST"])
def device_lost_mode(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    device, form = find_for(request, pk, "lost_mode"), LostModeForm(posted(request))
    if form.is_valid() and attempt(
        form, self_service.lose, device=device, user=request.user, **form.cleaned_data
    ):
        messages.success(request, _("Lost mode is ordered. This page says when it is on."))
        return redirect(page_of(device))
    words = {"title": _("Is %(name)s lost?"), "submit_label": _("Turn lost mode on")}
    return _confirm(request, "me/device_lost_mode.html", device, form, **words)


@require_POST
def device_search(request: HttpRequest, pk: uuid.UUID, action: str) -> HttpResponse:
    device = find_for(request, pk, action)
    done = _("Ordered. This page says when your device has answered.")
    return _do(request, device, partial(self_service.search, action=action), done)


@reauthentication_required
@require_http_methods(["GET", "POST"])
def location_reveal(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    device, place = find_for(request, pk, "locate"), None
    if request.method == "POST":
        place = self_service.reveal_place(device=device, user=request.user)
    title = _("Where %(name)s is") % {"name": device.label}
    context = {"device": device, "place": place, "title": title}
    return render(request, "me/device_location.html", context)


@require_POST
def order_cancel(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    device = find(request, pk)
    done = _("The order is cancelled. Your device stays as it is.")
    return _do(request, device, self_service.cancel, done)


@reauthentication_required
@require_http_methods(["GET", "POST"])
def pin_reveal(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    device, pin = find(request, pk), None
    if device.pin_set_at is None:
        raise Http404
    if request.method == "POST":
        pin = self_service.reveal_pin(device=device, user=request.user)
    title = _("PIN of %(name)s") % {"name": device.label}
    return render(request, "me/device_pin.html", {"device": device, "pin": pin, "title": title})


def _do(request: HttpRequest, device: Device, service: Callable, done: str) -> HttpResponse:
    try:
        service(device=device, user=request.user)
    except DomainError as error:
        messages.error(request, str(error.message))
    else:
        messages.success(request, done)
    return redirect(page_of(device))


def _confirm(request: HttpRequest, template: str, device: Device, form, **words) -> HttpResponse:
    words["title"] %= {"name": device.label}
    may_lock = "lock" in self_service.offered(device=device, user=request.user)
    context = {
        "device": device,
        "form": form,
        "cancel_url": page_of(device),
        "may_lock": may_lock,
    }
    return render(request, template, context | words, status=422 if form.errors else 200)

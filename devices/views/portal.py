"""Portal: the list of devices, and secrets of one of them."""

from __future__ import annotations

import uuid

from allauth.account.decorators import reauthentication_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from accounts.access import requires
from core.views.lists import list_page
from devices import actions
from devices.filters import DeviceFilterSet
from devices.models import Device
from devices.services import pins
from devices.tables import DeviceTable, SelectableDeviceTable


def find(request: HttpRequest, pk: uuid.UUID) -> Device:
    """Return a device that the person may see, or raise Http404."""
    rows = Device.objects.visible_to(request.user).select_related("user", "contact", "tenant")
    return get_object_or_404(rows, pk=pk)


def page_of(device: Device) -> str:
    return reverse("device-detail", args=[device.pk])


@requires("devices.view")
@require_GET
def device_list(request: HttpRequest) -> HttpResponse:
    rows = Device.objects.visible_to(request.user).select_related("user", "contact", "physical")
    bulk_actions = actions.for_many(user=request.user)
    return list_page(
        request,
        template="devices/device_list.html",
        filters=DeviceFilterSet(request.GET, queryset=rows, request=request),
        table_class=SelectableDeviceTable if bulk_actions else DeviceTable,
        title=_("Devices"),
        bulk_actions=bulk_actions,
        query=request.GET.urlencode(),
    )


@requires("devices.reveal_pin")
@reauthentication_required
@require_http_methods(["GET", "POST"])
def pin_reveal(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    device, pin = find(request, pk), None
    if request.method == "POST":
        pin = pins.reveal_pin(device=device, actor=request.user.actor)
    context = {"device": device, "pin": pin, "cancel_url": page_of(device)}
    return render(request, "devices/pin_reveal.html", context)

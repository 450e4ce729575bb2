"""Self-service: somebody's own devices, and what happened to each."""

from __future__ import annotations

import uuid

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from devices.models import Device
from devices.services import self_service
from devices.states import MANAGED
from devices.views.self_service import find
from enrollment.services import reminder_choice
from mdm.views import device_page

MAX_SHOWN = 100


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    rows = Device.objects.of_person(request.user).select_related("contact")
    devices = list(rows.order_by("-enrolled_at", "-created_at")[:MAX_SHOWN])
    context = {
        "title": _("My devices"),
        "managed": [device for device in devices if device.state in MANAGED],
        "ended": [device for device in devices if device.state not in MANAGED],
        "reminded": reminder_choice.of_person(request.user),
    }
    return render(request, "me/home.html", context)


@require_GET
def device_detail(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Also answers its own polls: 204 while nothing changed, else the page to take parts from."""
    device, user = find(request, pk), request.user
    context = device_page.gather(device)
    if request.GET.get("seen") == context["digest"]:
        return HttpResponse(status=204)
    context |= {
        "title": device.label,
        "offered": self_service.offered(device=device, user=user),
        "allowed": self_service.allowed(user),
        "may_cancel": self_service.may_cancel(device=device, user=user, order=context["order"]),
    }
    return render(request, "me/device_detail.html", context)

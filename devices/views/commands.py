"""Portal: one command of a device, as it was sent, and taken back; and where a lost device is."""

from __future__ import annotations

import uuid

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import requires
from core.errors import DomainError
from devices.models import Command, Device
from devices.services import cancelling, lost_mode, raw
from devices.views.portal import find, page_of


def find_command(request: HttpRequest, pk: uuid.UUID) -> Command:
    """Return a command that the person may see, or raise Http404."""
    rows = Command.objects.visible_to(request.user).select_related("device", "channel")
    return get_object_or_404(rows, pk=pk)


def tab_of(device: Device) -> str:
    return f"{page_of(device)}?tab=commands#told"


@requires("devices.cancel")
@require_POST
def command_cancel(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    command = find_command(request, pk)
    try:
        cancelling.cancel(command=command, actor=request.user.actor)
    except DomainError as error:
        messages.error(request, str(error.message))
    else:
        messages.success(request, _("The command is cancelled."))
    return redirect(tab_of(command.device))


@requires("devices.raw")
@require_GET
def command_raw(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    command = find_command(request, pk)
    crumbs = [
        (reverse("devices:device-list"), _("Devices")),
        (page_of(command.device), command.device.label),
        (tab_of(command.device), _("Commands")),
    ]
    context = {"command": command, "told": raw.show(command=command), "crumbs": crumbs}
    return render(request, "devices/command_raw.html", context)


@requires("devices.locate")
@reauthentication_required
@require_http_methods(["GET", "POST"])
def location_reveal(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    device, place, error = find(request, pk), None, ""
    if request.method == "POST":
        try:
            place = lost_mode.reveal_place(device=device, actor=request.user.actor)
        except DomainError as refused:
            error = refused.message
    context = {"device": device, "place": place, "error": error, "cancel_url": page_of(device)}
    return render(request, "devices/location_reveal.html", context)

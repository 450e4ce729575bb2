"""What variables are for one device, and what a text becomes."""

from __future__ import annotations

import uuid

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from accounts.access import requires
from core.variables import MAX_TEXT
from core.views.actions import WordedForm, attempt, posted
from devices.services import variables
from devices.views import portal


class TextForm(WordedForm):
    text = forms.CharField(
        label=gettext_lazy("Text with variables"),
        max_length=MAX_TEXT,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
        help_text=gettext_lazy("Nothing is stored and nothing is sent. You see what it becomes."),
    )


@requires("devices.view")
@require_http_methods(["GET", "POST"])
def device_variables(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    device, form, found = portal.find(request, pk), TextForm(posted(request)), []
    if form.is_valid():
        text = form.cleaned_data["text"]
        attempt(form, lambda: found.append(variables.resolve(device=device, text=text)))
    own = reverse("device-detail", args=[pk])
    context = {
        "form": form,
        "resolved": found[0] if found else None,
        "variables": variables.listed(device),
        "title": _("Variables of %(name)s") % {"name": device.label},
        "lead": _("Texts for many devices can hold variables. These are their values here."),
        "submit_label": _("Show what it becomes"),
        "crumbs": [(reverse("devices:device-list"), _("Devices")), (own, device.label)],
        "cancel_url": own,
    }
    template = "devices/device_variables.html"
    return render(request, template, context, status=422 if form.errors else 200)

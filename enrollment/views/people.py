"""Portal: what concerns the enrollment of one person or of several that were selected."""

from __future__ import annotations

import uuid

from allauth.account.decorators import reauthentication_required
from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.access import requires
from accounts.models import User
from core.errors import DomainError
from core.views.actions import attempt, posted
from enrollment.forms import NewPersonForm
from enrollment.services import invitations, letters, pin_handover


@requires("users.manage")
@require_http_methods(["GET", "POST"])
def person_new(request: HttpRequest) -> HttpResponse:
    user = request.user
    form = NewPersonForm(posted(request), may_invite=user.has("invitations.send"))
    if form.is_valid() and attempt(
        form,
        invitations.add_person,
        tenant=user.tenant,
        actor=user.actor,
        sender=user,
        **form.arguments,
    ):
        is_invited = form.arguments["is_invited"]
        words = {
            True: _("The person is added, and the invitation is on its way."),
            False: _("The person is added. An invitation has not been sent."),
        }
        messages.success(request, words[is_invited])
        return redirect("user-list")
    context = {
        "form": form,
        "title": _("Add a person"),
        "submit_label": _("Add"),
        "cancel_url": reverse("user-list"),
        "crumbs": [(reverse("user-list"), _("People"))],
    }
    return render(request, "generic/form.html", context, status=422 if form.errors else 200)


@requires("users.reveal_pin")
@reauthentication_required
@require_http_methods(["GET", "POST"])
def pin_make(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Make a PIN to hand over by other means; the answer to the POST shows it once."""
    person, form = _find(request, pk), forms.Form(posted(request))
    status = 200
    if form.is_valid():
        try:
            pin = pin_handover.make(user=person, principal=request.user)
        except DomainError as error:
            form.add_error(None, str(error.message))
            status = error.status
        else:
            facts = {"pin": pin, "digits": letters.grouped(pin.digits), "person": person}
            return render(request, "users/pin_made.html", facts)
    page = reverse("user-detail", args=[person.pk])
    context = {
        "form": form,
        "title": _("Make a PIN for %(name)s?") % {"name": person.name},
        "submit_label": _("Make and show the PIN"),
        "crumbs": [(reverse("user-list"), _("People")), (page, person.name)],
        "cancel_url": page,
    }
    return render(request, "users/pin_make.html", context, status=status)


def _find(request: HttpRequest, pk: uuid.UUID) -> User:
    rows = User.objects.visible_to(request.user).select_related("tenant")
    return get_object_or_404(rows, pk=pk)

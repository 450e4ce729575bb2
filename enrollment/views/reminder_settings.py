"""Settings, reminders: the credentials of push services, their state, one click to try each."""

from __future__ import annotations

from typing import Any

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import requires
from core.errors import DomainError
from core.models import KeyPurpose
from core.views.actions import attempt, posted
from enrollment import schedule
from enrollment.push_forms import AppleKeyForm, ServiceAccountForm
from enrollment.services import push_keys, push_status, push_test

PAGE = "settings-reminders"
TITLES = {
    KeyPurpose.APP_APNS: gettext_lazy("Apple push to your own app"),
    KeyPurpose.APP_FCM: gettext_lazy("Firebase push to your own app"),
    KeyPurpose.WEB_PUSH: gettext_lazy("Browser push"),
}


@requires("settings.view")
@require_GET
def page(request: HttpRequest) -> HttpResponse:
    context = {
        "title": _("Reminders"),
        "lead": _("How people are reminded of a registration that they did not finish."),
        "channels": push_status.of(request.user.tenant),
        "hours": schedule.hours(),
    }
    return render(request, "settings/reminders.html", context)


@requires("settings.manage")
@reauthentication_required
@require_http_methods(["GET", "POST"])
def install_apns(request: HttpRequest) -> HttpResponse:
    form = AppleKeyForm(posted(request), request.FILES or None)
    return _install(request, form, push_keys.install_apns, KeyPurpose.APP_APNS)


@requires("settings.manage")
@reauthentication_required
@require_http_methods(["GET", "POST"])
def install_fcm(request: HttpRequest) -> HttpResponse:
    form = ServiceAccountForm(posted(request), request.FILES or None)
    return _install(request, form, push_keys.install_fcm, KeyPurpose.APP_FCM)


def _install(request: HttpRequest, form: Any, service: Any, purpose: str) -> HttpResponse:
    user = request.user
    if form.is_valid() and attempt(
        form, service, tenant=user.tenant, actor=user.actor, **form.arguments
    ):
        messages.success(request, _("The credentials are kept. Send a test to see them work."))
        return redirect(PAGE)
    context = {
        "form": form,
        "title": TITLES[KeyPurpose(purpose)],
        "lead": form.lead,
        "submit_label": _("Keep"),
        "crumbs": [(reverse(PAGE), _("Reminders"))],
        "cancel_url": reverse(PAGE),
        "is_multipart": True,
    }
    return render(request, "generic/form.html", context, status=422 if form.errors else 200)


@requires("settings.manage")
@reauthentication_required
@require_http_methods(["GET", "POST"])
def turn_on_browsers(request: HttpRequest) -> HttpResponse:
    """Make the key of browser pushes; a GET comes back from confirming the password."""
    if request.method == "POST":
        push_keys.make_web_push(tenant=request.user.tenant, actor=request.user.actor)
        messages.success(request, _("Browser push is on: the registration page offers it."))
    return redirect(PAGE)


@requires("settings.manage")
@require_POST
def test(request: HttpRequest, purpose: str) -> HttpResponse:
    user = request.user
    try:
        tested = push_test.test(
            tenant=user.tenant, purpose=_known(purpose), user=user, actor=user.actor
        )
    except DomainError as error:
        messages.error(request, error.message)
    else:
        tell = messages.success if tested.is_good else messages.error
        tell(request, tested.message)
    return redirect(PAGE)


@requires("settings.manage")
@reauthentication_required
@require_http_methods(["GET", "POST"])
def remove(request: HttpRequest, purpose: str) -> HttpResponse:
    user, known = request.user, _known(purpose)
    if request.method == "POST":
        if push_keys.remove(tenant=user.tenant, purpose=known, actor=user.actor):
            messages.success(request, _("The credentials are gone, and the channel with them."))
        return redirect(PAGE)
    context = {
        "title": _("Remove the credentials?"),
        "channel": TITLES[known],
        "is_browser": known == KeyPurpose.WEB_PUSH,
        "submit_label": _("Remove"),
        "is_danger": True,
        "crumbs": [(reverse(PAGE), _("Reminders"))],
        "cancel_url": reverse(PAGE),
    }
    return render(request, "settings/reminders_remove.html", context)


def _known(purpose: str) -> KeyPurpose:
    if purpose not in push_keys.PURPOSES:
        raise Http404
    return KeyPurpose(purpose)

"""Self-service: adding a device, on the device itself or by a code for its camera; reminders."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts import planes
from accounts.models import User, UserSettings
from accounts.services import tenants
from core import net
from core.errors import DomainError
from devices.models import Device
from enrollment import detection, platforms
from enrollment.services import (
    factors,
    letters,
    links,
    mail_requests,
    push_addresses,
    qr,
    registration,
    reminder_choice,
)
from enrollment.views import codes
from enrollment.views.visit import keep_cookie


@require_GET
def device_add(request: HttpRequest) -> HttpResponse:
    return _page(request)


@require_POST
def begin_here(request: HttpRequest) -> HttpResponse:
    """Hand the person over to the registration pages of the device that they hold.

    The cookie of an attempt reaches no other host: where the organisation has one of its own, a
    code is the way there.
    """
    detected = _detect(request)
    if not detected.is_enrollable_kind or _not_ready(request, detected):
        return redirect("me-device-add")
    if tenants.for_host(request.get_host()) != request.user.tenant:
        return _elsewhere(request)
    browser = registration.Browser(
        ip=net.client_ip(request),
        platform=detected.platform,
        user_agent=request.headers.get("User-Agent", ""),
        language=translation.get_language() or "",
    )
    try:
        entered = registration.enter_signed_in(
            user=request.user, browser=browser, is_fresh=planes.proved_recently(request)
        )
    except DomainError as error:
        return _page(request, error=error)
    response = redirect(reverse("enrollment:go", urlconf=settings.ROOT_URLCONF))
    keep_cookie(response, entered.cookie)
    return response


def _elsewhere(request: HttpRequest) -> HttpResponse:
    """Lead to the host of the person's organisation. A link, for a form may lead nowhere else."""
    try:
        code = _make_code(request)
    except DomainError as error:
        return _page(request, error=error)
    context = {"title": _("Go on there"), "url": code.url, "host": urlsplit(code.url).hostname}
    return render(request, "me/go_on.html", context)


def _make_code(request: HttpRequest) -> qr.Issued:
    user = request.user
    return qr.issue(
        user=user,
        actor=user.person_actor,
        ip=net.client_ip(request),
        is_fresh=planes.proved_recently(request),
    )


@require_POST
def code_show(request: HttpRequest) -> HttpResponse:
    """Make a code and show it, once: a new one takes its place."""
    try:
        code = _make_code(request)
    except DomainError as error:
        return _page(request, error=error)
    return _page(request, code=code)


@require_GET
def code_status(request: HttpRequest) -> HttpResponse:
    """What the page that shows a code polls."""
    return JsonResponse(codes.as_json(request.user))


@require_POST
def code_disown(request: HttpRequest) -> HttpResponse:
    """ "That was not me": end what somebody began with the code."""
    user = request.user
    is_ended = qr.disown(user=user, secret_id=codes.wanted(request), actor=user.person_actor)
    if is_ended:
        messages.success(request, _("That registration has ended."))
    return redirect(f"{reverse('me-device-add')}#code")


@require_POST
def pin_request(request: HttpRequest) -> HttpResponse:
    try:
        mail_requests.pin_for_person(user=request.user, ip=net.client_ip(request))
    except DomainError as error:
        return _page(request, error=error)
    messages.success(
        request,
        _("A mail with a new PIN is on its way to you. It can take a minute."),
    )
    return redirect("me-device-add")


@require_POST
def reminders_stop(request: HttpRequest) -> HttpResponse:
    user = request.user
    if reminder_choice.stop(user=user, actor=user.person_actor):
        messages.success(request, _("You will not be reminded. You can go on whenever you like."))
    return redirect("me-home")


@require_POST
def browser_forget(request: HttpRequest) -> HttpResponse:
    """Show no more reminders in one of the person's browsers."""
    user, wanted = request.user, codes.wanted(request, "browser")
    if push_addresses.forget(user=user, browser_id=wanted, actor=user.person_actor):
        messages.success(request, _("That browser shows no more reminders."))
    return redirect("me-home")


def _page(
    request: HttpRequest, *, error: DomainError | None = None, code: qr.Issued | None = None
) -> HttpResponse:
    user, detected = request.user, _detect(request)
    policy = UserSettings.objects.for_user(user)
    needs_pin = factors.needs_pin(user, letters.newest_usable(user), policy)
    context = {
        "title": _("Add a device"),
        "detected": detected,
        "count": _count(user),
        "is_full": policy.device_limit is not None and _count(user) >= policy.device_limit,
        "not_ready": _not_ready(request, detected),
        "may_request_pin": policy.may_request_pin,
        "needs_pin": needs_pin,
        "will_ask_for_pin": needs_pin and not planes.proved_recently(request),
        "short_address": links.url_of(user.tenant),
        "code": code,
        **codes.panel(user, code),
        "status_url": reverse("me-code-status"),
        "next_url": f"{reverse('me-device-add')}#code",
        "action": reverse("me-code-disown"),
        "error": str(error.message) if error else "",
    }
    return render(request, "me/device_add.html", context, status=error.status if error else 200)


def _count(user: User) -> int:
    return Device.objects.counted_for_limit().filter(user=user).count()


def _detect(request: HttpRequest) -> detection.Detected:
    values = request.POST if request.method == "POST" else request.GET
    return detection.detect(
        request.headers,
        touch_points=values.get("touch", "")[:4],
        chosen=values.get("device", "")[:10],
    )


def _not_ready(request: HttpRequest, detected: detection.Detected) -> str:
    """Why no device of this kind, or for a page on another computer no iPhone, can be added."""
    kind = detected.platform if detected.is_enrollable_kind else detection.IPHONE
    backend = platforms.backend_of(kind)
    if backend is None:
        return _("Devices of this kind cannot be registered here yet.")
    return backend.not_ready_reason(request.user.tenant) or ""

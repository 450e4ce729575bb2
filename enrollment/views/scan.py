"""What the camera of a phone opens: the address in a code. Reading uses nothing up."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_http_methods

from core.errors import DomainError
from enrollment import detection, platforms
from enrollment.errors import CodeRefused, WrongStep
from enrollment.services import qr
from enrollment.views import frame, go, pages
from enrollment.views.visit import Visit, keep_cookie, open_visit, speaking


@login_not_required
@csrf_protect
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, token: str) -> HttpResponse:
    """Show whose code it is; the POST of its one button uses it and begins the registration."""
    code = qr.look_up(token)
    visit = open_visit(request, "", tenant=code.user.tenant if code.user else None)
    if visit is None:
        raise Http404
    with speaking(visit) as language:
        response = _answer(visit, code, token)
    response["Content-Language"] = language
    return response


def _answer(visit: Visit, code: qr.Code, token: str) -> HttpResponse:
    if visit.request.method == "POST" and visit.request.POST.get("step") == "language":
        return go.HANDLERS["language"](visit)
    session = visit.session
    if session is not None and code.session == session:
        # Scanned again by the device that goes on with it.
        return HttpResponseRedirect(reverse("enrollment:go"))
    if code.state != "live":
        return _gone(visit, code)
    if reason := _unfit(visit):
        return frame.page(visit, "enrollment/code_unfit.html", reason=reason)
    if visit.request.method != "POST":
        return _show(visit, code)
    return _use(visit, token)


def _use(visit: Visit, token: str) -> HttpResponse:
    if visit.request.POST.get("step") != "start":
        return pages.with_retry(_show(visit, qr.look_up(token), WrongStep()), WrongStep())
    try:
        entered = qr.redeem(token=token, browser=visit.browser)
    except CodeRefused:
        return _gone(visit, qr.look_up(token))
    except DomainError as error:
        return pages.with_retry(_show(visit, qr.look_up(token), error), error)
    response = HttpResponseRedirect(reverse("enrollment:go"))
    keep_cookie(response, entered.cookie)
    return response


def _show(visit: Visit, code: qr.Code, error: DomainError | None = None) -> HttpResponse:
    if error is not None:
        visit.request.go_note = str(error.message)  # type: ignore[attr-defined]
    facts = {"person": code.user, "link": visit.request.build_absolute_uri(visit.request.path)}
    status = error.status if error else 200
    return frame.page(visit, "enrollment/code_scanned.html", status=status, **facts)


def _gone(visit: Visit, code: qr.Code) -> HttpResponse:
    status = 404 if code.state == "unknown" else 410
    facts = {"state": code.state, "reason": qr.why(code)}
    return frame.page(visit, "enrollment/code_gone.html", status=status, **facts)


def _unfit(visit: Visit) -> str:
    """Say why this device cannot use the code, or nothing; the code stays good."""
    detected = visit.detected
    if too_old := qr.system_too_old(detected.platform, detected.version):
        return too_old
    if detected.platform == detection.OTHER:
        return _("This is not a device that can be registered. Scan the code with your phone.")
    backend = platforms.backend_of(detected.platform)
    if backend is None:
        return _("Devices of this kind cannot be registered here yet.")
    return backend.not_ready_reason(visit.tenant) or ""

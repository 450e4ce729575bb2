"""The registration pages: one address, the step that is due, one form."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django import forms
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.utils import translation
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_GET, require_http_methods

from accounts import known_devices
from accounts.models import AcceptancePlace
from core.actors import Actor
from core.errors import DomainError
from enrollment import page_forms
from enrollment.detection import CHOICES
from enrollment.errors import WrongStep
from enrollment.models import EnrollmentSession
from enrollment.services import journey, mail_requests, profiles, registration
from enrollment.services.registration import Entered
from enrollment.views import codes, pages, reminding
from enrollment.views.visit import (
    Visit,
    drop_cookie,
    keep_cookie,
    open_visit,
    speaking,
)

Handler = Callable[[Visit], HttpResponse]


def _visited(view: Callable[[Visit], HttpResponse]) -> Callable[..., HttpResponse]:
    """Open the visit, and speak its language in its time zone."""

    @wraps(view)
    def opened(request: HttpRequest, link: str = "") -> HttpResponse:
        visit = open_visit(request, link)
        if visit is None:
            raise Http404
        with speaking(visit) as language:
            response = view(visit)
        response["Content-Language"] = language
        return response

    return opened


@login_not_required
@csrf_protect
@require_http_methods(["GET", "HEAD", "POST"])
@_visited
def page(visit: Visit) -> HttpResponse:
    """Show the step that is due; a POST takes it. Reading changes nothing."""
    if visit.request.method != "POST":
        return pages.show(visit)
    handler = HANDLERS.get(visit.request.POST.get("step", ""))
    if handler is None:
        return pages.refused(visit, WrongStep())
    try:
        return handler(visit)
    except WrongStep:
        # Another tab was faster, or the cookie is gone: the page shows where it stands.
        return back(visit)
    except DomainError as error:
        return pages.with_retry(pages.refused(visit, error), error)


@login_not_required
@require_GET
def lower_case(request: HttpRequest, rest: str | None = "") -> HttpResponse:
    """An address copied in capitals."""
    target = f"/go{(rest or '').lower()}"
    if target == request.path:
        raise Http404
    return HttpResponseRedirect(target)


@login_not_required
@require_GET
@_visited
def status(visit: Visit) -> HttpResponse:
    """What the open page polls; only the browser that began may know."""
    if visit.session is None:
        return JsonResponse({"state": "expired", "device": None, "message": ""}, status=404)
    found = journey.status_of(visit.session, profiles.current(visit.session))
    return JsonResponse(found.as_json())


@login_not_required
@require_GET
@_visited
def code_status(visit: Visit) -> HttpResponse:
    """What the page that shows a code polls; only the browser that made it may know."""
    session = visit.session
    if session is None or not codes.is_confirmed(session) or session.user is None:
        return JsonResponse({"state": "ended", "message": ""}, status=404)
    return JsonResponse(codes.as_json(session.user))


def back(visit: Visit, entered: Entered | None = None, *, query: str = "") -> HttpResponse:
    """Answer a POST that went well: show the page again, by GET."""
    response = HttpResponseRedirect(visit.request.path + query)
    if entered is not None:
        keep_cookie(response, entered.cookie)
    return response


def _known(visit: Visit, entered: Entered) -> HttpResponse:
    """Go on after a sign-in, and know the browser from now on."""
    response = back(visit, entered)
    if entered.session.user is not None:
        known_devices.note(visit.request, response, entered.session.user.email)
    return response


def _session(visit: Visit) -> EnrollmentSession:
    if visit.session is None:
        raise WrongStep
    return visit.session


def _filled(visit: Visit, form: forms.Form, take: Callable[[dict], HttpResponse]) -> HttpResponse:
    """Call `take` with a valid form's data; what is refused is shown at its field."""
    if not form.is_valid():
        return pages.show(visit, form=form, status=400)
    try:
        return take(form.cleaned_data)
    except WrongStep:
        raise
    except DomainError as error:
        return pages.refused(visit, error, form)
    except ValidationError as error:
        form.add_error("password1" if "password1" in form.fields else None, error)
        return pages.show(visit, form=form, status=400)


def _start(visit: Visit) -> HttpResponse:
    session = visit.session
    if session is not None and session.is_open:
        return back(visit)
    if visit.link is None:
        response = back(visit)
        drop_cookie(response)
        return response
    if visit.is_gone or visit.link.state != "live" or visit.link.invitation is None:
        return pages.gone(visit)
    if not visit.detected.is_enrollable_kind:
        return pages.show(visit, status=400)
    return back(visit, registration.begin(invitation=visit.link.invitation, browser=visit.browser))


def _pin(visit: Visit) -> HttpResponse:
    session = _session(visit)

    def take(data: dict) -> HttpResponse:
        entered = registration.enter_pin(session=session, typed=data["pin"], browser=visit.browser)
        return back(visit, entered)

    return _filled(visit, page_forms.PinForm(visit.request.POST), take)


def _sign_in(visit: Visit) -> HttpResponse:
    if visit.session is not None and visit.session.is_open:
        return _password_of_link(visit, visit.session)

    def take(data: dict) -> HttpResponse:
        entered = registration.sign_in(
            tenant=visit.tenant,
            email=data["email"],
            secret=data["password"],
            browser=visit.browser,
        )
        return _known(visit, entered)

    if visit.link is not None:
        raise WrongStep
    return _filled(visit, page_forms.SignInForm(visit.request.POST), take)


def _password_of_link(visit: Visit, session: EnrollmentSession) -> HttpResponse:
    def take(data: dict) -> HttpResponse:
        entered = registration.enter_password(
            session=session, password=data["password"], browser=visit.browser
        )
        return _known(visit, entered)

    return _filled(visit, page_forms.PasswordForm(visit.request.POST), take)


def _choose_password(visit: Visit) -> HttpResponse:
    session = _session(visit)

    def take(data: dict) -> HttpResponse:
        registration.choose_password(
            session=session,
            password=data["password1"],
            repeated=data["password2"],
            browser=visit.browser,
        )
        return back(visit)

    return _filled(visit, page_forms.ChoosePasswordForm(visit.request.POST), take)


def _terms(visit: Visit) -> HttpResponse:
    session = _session(visit)

    def take(data: dict) -> HttpResponse:
        registration.accept_terms(
            session=session,
            terms_id=data["terms"],
            place=AcceptancePlace.PAGE,
            browser=visit.browser,
        )
        return back(visit)

    return _filled(visit, page_forms.TermsForm(visit.request.POST), take)


def _profile(visit: Visit) -> HttpResponse:
    session = _session(visit)
    if visit.detected.platform in CHOICES:
        registration.choose_platform(session=session, platform=visit.detected.platform)
    if session.user is None:
        raise WrongStep
    is_again = profiles.current(session) is not None
    profiles.issue(
        session=session,
        language=translation.get_language() or settings.LANGUAGE_CODE,
        actor=_actor(visit, session),
    )
    # Asked for again, it begins to download by itself: one tap.
    return back(visit, query="?fresh" if is_again else "")


def _request_pin(visit: Visit) -> HttpResponse:
    session = visit.session
    if session is not None and session.user is not None:
        mail_requests.pin_for_person(user=session.user, ip=visit.browser.ip)
        return back(visit, query="?sent=pin")
    form = page_forms.PinRequestForm(visit.request.POST, prefix="request")
    if not form.is_valid():
        return pages.show_note(visit, form.errors["email"][0], status=400)
    mail_requests.pin_for_address(
        tenant=visit.tenant, email=form.cleaned_data["email"], ip=visit.browser.ip
    )
    return back(visit, query="?sent=pin")


def _send_link(visit: Visit) -> HttpResponse:
    """Mail the link to the address that was invited, never to one that is typed here."""
    session, link = visit.session, visit.link
    if link is not None and link.state == "live" and link.invitation is not None:
        mail_requests.link_for(user=link.invitation.user, invitation=link.invitation)
    elif session is not None and session.is_open and session.user is not None:
        mail_requests.link_for(user=session.user, invitation=session.invitation)
    else:
        raise WrongStep
    return back(visit, query="?sent=link&device=other")


def _confirm_here(visit: Visit) -> HttpResponse:
    """Begin on a computer that is not the device to register: it will show a code."""
    session, link = visit.session, visit.link
    if session is not None and session.is_open:
        return back(visit)
    if link is None:
        return back(visit, query="?sign-in")
    if link.state != "live" or link.invitation is None:
        return pages.gone(visit)
    return back(visit, registration.begin(invitation=link.invitation, browser=visit.browser))


def _language(visit: Visit) -> HttpResponse:
    response = back(visit)
    wanted = visit.request.POST.get("language", "")
    if wanted in dict(settings.LANGUAGES):
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            wanted,
            max_age=365 * 24 * 3600,
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )
    return response


def _actor(visit: Visit, session: EnrollmentSession) -> Actor:
    user = session.user
    if user is None:
        raise WrongStep
    return Actor("person", str(user.pk), user.email, visit.browser.ip)


HANDLERS: dict[str, Handler] = {
    "start": _start,
    "pin": _pin,
    "sign-in": _sign_in,
    "password": _choose_password,
    "terms": _terms,
    "profile": _profile,
    "request-pin": _request_pin,
    "send-link": _send_link,
    "confirm-here": _confirm_here,
    "code": codes.make,
    "disown": codes.disown,
    "no-reminders": reminding.stop,
    "language": _language,
}

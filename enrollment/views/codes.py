"""The page of a computer that shows a code for the camera of the phone to register."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import User
from core import clock
from enrollment.errors import WrongStep
from enrollment.models import EnrollmentSession, SessionStage
from enrollment.services import factors, qr
from enrollment.services.journey import Step
from enrollment.views import reminding
from enrollment.views.frame import page
from enrollment.views.visit import Visit


def is_confirmed(session: EnrollmentSession) -> bool:
    """Say whether the person of an attempt may make codes: confirmed, with an own password.

    One that ended because its code was used still may, until it would have timed out.
    """
    user = session.user
    if user is None or factors.must_choose_password(user):
        return False
    if not session.is_open and not (session.has_moved and session.expires_at > clock.now()):
        return False
    return session.has_reached(SessionStage.AUTHENTICATED)


def is_due(visit: Visit, step: Step) -> bool:
    """Say whether to show the code in place of a step: on a computer that is not the device to
    register, or where another device is asked for."""
    if visit.session is None or step not in (Step.PROFILE, Step.INSTALL):
        return False
    return not visit.detected.is_enrollable_kind or "code" in visit.request.GET


def is_over(visit: Visit) -> bool:
    """Say whether to show what became of the code: it was used, and nothing else was asked for."""
    session, request = visit.session, visit.request
    if session is None or not session.has_moved or not is_confirmed(session):
        return False
    is_about_the_code = request.POST.get("step", "code") in ("code", "disown")
    return is_about_the_code and not {"again", "device"} & request.GET.keys()


def show(visit: Visit, issued: qr.Issued | None = None) -> HttpResponse:
    """Show a code that was just made, or else what became of the last one."""
    user = _person(visit)
    facts = panel(user, issued) | {
        "status_url": reverse("enrollment:code-status"),
        "next_url": f"{visit.request.path}?code",
        "action": f"{visit.request.path}?code",
        **reminding.facts(visit),
    }
    return page(visit, "enrollment/code.html", **facts)


def panel(user: User, issued: qr.Issued | None) -> dict[str, Any]:
    """Return what the templates of a code need: `issued` to show, or `last` to tell about."""
    return {"issued": issued, "last": None if issued else qr.newest(user)}


def as_json(user: User) -> dict[str, str]:
    """What a page that shows a code polls: the state of the person's last one, in words."""
    code = qr.newest(user)
    if code is None:
        return {"state": "ended", "message": ""}
    if code.state == "live":
        return {"state": "live", "message": _("Waiting for a device to scan the code.")}
    return {"state": code.state, "message": told(code)}


def told(code: qr.Code) -> str:
    """Say to the person who made a code what became of it."""
    if code.state == "used" and code.used_at is not None:
        return _("Your code was used by %(device)s at %(time)s.") % {
            "device": code.device,
            "time": qr.time_words(code.used_at),
        }
    return _("Your last code is no longer valid.")


def make(visit: Visit) -> HttpResponse:
    user, session = _person(visit), visit.session
    ip = visit.browser.ip
    return show(visit, qr.issue(user=user, actor=user.person_actor, ip=ip, session=session))


def disown(visit: Visit) -> HttpResponse:
    """ "That was not me": end what the use of the code began."""
    user = _person(visit)
    qr.disown(user=user, secret_id=wanted(visit.request), actor=user.person_actor)
    return HttpResponseRedirect(f"{visit.request.path}?code")


def wanted(request: HttpRequest, field: str = "code") -> uuid.UUID:
    """Read which row a form is about. Raises WrongStep for what no form of ours sends."""
    try:
        return uuid.UUID(request.POST.get(field, "")[:36])
    except ValueError as error:
        raise WrongStep from error


def _person(visit: Visit) -> User:
    session = visit.session
    if session is None or session.user is None or not is_confirmed(session):
        raise WrongStep
    return session.user

"""Renders the registration pages: one template for each step."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpResponse
from django.utils.translation import gettext as _

from accounts.services import terms
from core.errors import DomainError
from devices.models import Device
from enrollment import instructions, page_forms, platforms
from enrollment.detection import IPHONE
from enrollment.errors import TooManyTries
from enrollment.models import EnrollmentSession, IssuedProfile, SessionOutcome, StoppedReason
from enrollment.services import factors, journey, links, profiles
from enrollment.services.journey import Step
from enrollment.views import codes, reminding
from enrollment.views.frame import page
from enrollment.views.visit import Visit

FORMS: dict[Step, type[forms.Form]] = {
    Step.PIN: page_forms.PinForm,
    Step.SIGN_IN: page_forms.PasswordForm,
    Step.PASSWORD: page_forms.ChoosePasswordForm,
    Step.TERMS: page_forms.TermsForm,
}


def show(visit: Visit, *, form: forms.Form | None = None, status: int = 200) -> HttpResponse:
    """Show the step that the visit has come to; `form` is the one with errors, if any."""
    if visit.is_gone:
        return gone(visit)
    session = visit.session
    if codes.is_over(visit):
        return codes.show(visit)
    if session is None or session.outcome not in (SessionOutcome.OPEN, SessionOutcome.ACTIVE):
        return _entrance(visit, form=form, status=status)
    profile = profiles.current(session)
    step = journey.step_of(session, profile)
    if codes.is_due(visit, step):
        return codes.show(visit)
    facts = _facts(visit, session, step, profile)
    if step in FORMS:
        facts["form"] = form or FORMS[step]()
    return page(visit, f"enrollment/{TEMPLATES[step]}.html", status=status, **facts)


def _facts(
    visit: Visit, session: EnrollmentSession, step: Step, profile: IssuedProfile | None
) -> dict[str, Any]:
    number, names = journey.steps(session, step)
    facts: dict[str, Any] = {"step": step, "number": number, "names": names}
    if step == Step.PIN:
        facts |= {"may_request_pin": visit.policy.may_request_pin}
    if step == Step.TERMS and session.user is not None:
        facts |= {"terms": terms.due(session.user)}
    if step in (Step.PROFILE, Step.INSTALL):
        state = journey.status_of(session, profile)
        more = _profile(visit) if step == Step.PROFILE else _install(visit, state)
        facts |= {"profile": profile, "state": state, **more}
        facts |= reminding.facts(visit)
    if step == Step.DONE and session.device is not None:
        facts |= {"was_of_another": Device.objects.was_of_another(session.device)}
    return facts


TEMPLATES = {
    Step.PIN: "pin",
    Step.SIGN_IN: "password",
    Step.PASSWORD: "choose_password",
    Step.TERMS: "terms",
    Step.PROFILE: "profile",
    Step.INSTALL: "install",
    Step.DONE: "done",
}


def _entrance(visit: Visit, *, form: forms.Form | None, status: int) -> HttpResponse:
    """The first page: begin with a link, sign in without one; or use another device."""
    facts: dict[str, Any] = {"stopped": _why_stopped(visit), "link": address(visit)}
    kind = visit.detected
    if not kind.is_enrollable_kind and not _wants_to_sign_in(visit):
        return page(visit, "enrollment/wrong_device.html", status=status, **facts)
    # On another computer it is about the phone that will be registered.
    platform = kind.platform if kind.is_enrollable_kind else IPHONE
    if reason := _not_ready(visit, platform):
        return page(visit, "enrollment/not_ready.html", status=status, reason=reason, **facts)
    if visit.invitation is not None:
        invitation = visit.invitation
        facts |= {
            "needs_pin": factors.needs_pin(invitation.user, invitation, visit.policy),
            "needs_password": factors.needs_password(invitation.user),
        }
        return page(visit, "enrollment/start.html", status=status, **facts)
    facts |= {
        "form": form or page_forms.SignInForm(),
        "request_form": page_forms.PinRequestForm(prefix="request"),
        "may_request_pin": visit.policy.may_request_pin,
    }
    return page(visit, "enrollment/sign_in.html", status=status, **facts)


def _wants_to_sign_in(visit: Visit) -> bool:
    """Say whether somebody at another computer asked for the form, to be shown a code then."""
    request = visit.request
    asked = "sign-in" in request.GET or request.GET.get("sent") == "pin"
    return visit.link is None and (asked or request.POST.get("step") in ("sign-in", "request-pin"))


def _why_stopped(visit: Visit) -> str:
    session = visit.session
    if session is None:
        return ""
    is_disowned = session.stopped_reason == StoppedReason.DISOWNED
    if session.outcome != SessionOutcome.REFUSED and not is_disowned:
        return ""
    return journey.why_stopped(session)


def _not_ready(visit: Visit, platform: str) -> str:
    backend = platforms.backend_of(platform)
    if backend is None:
        return _("Devices of this kind cannot be registered here yet.")
    return backend.not_ready_reason(visit.tenant) or ""


def _profile(visit: Visit) -> dict[str, Any]:
    session = visit.session
    if session is None or session.user is None:
        return {}
    limit = visit.policy.device_limit
    count = Device.objects.counted_for_limit().filter(user=session.user).count()
    return {
        "is_full": limit is not None and count >= limit,
        "device_count": count,
        "not_ready": _not_ready(visit, session.platform),
    }


def _install(visit: Visit, state: journey.Status) -> dict[str, Any]:
    session = visit.session
    profile = profiles.current(session) if session else None
    guide, others = instructions.guides(visit.detected.platform, visit.detected.version)
    is_live = profile is not None and profiles.is_downloadable(profile)
    return {
        "guide": guide,
        "other_guides": others,
        "download_token": profiles.link_token(profile) if profile and is_live else "",
        "is_waiting": state.state in ("waiting", "downloaded"),
        "starts_by_itself": "fresh" in visit.request.GET,
    }


def gone(visit: Visit) -> HttpResponse:
    """A link that leads nowhere: what its holder may know, and what helps."""
    state = visit.link.state if visit.link else "unknown"
    return page(
        visit, "enrollment/gone.html", status=404 if state == "unknown" else 410, state=state
    )


def refused(visit: Visit, error: DomainError, form: forms.Form | None = None) -> HttpResponse:
    """Show the step again with what was wrong, at its field or above the form."""
    if form is None:
        visit_error = str(error.message)
        return show_note(visit, visit_error, status=error.status)
    if not form.is_bound:
        form = type(form)(data={})
    field = error.field if error.field in form.fields else None
    form.add_error(field, str(error.message))
    response = show(visit, form=form, status=error.status)
    return with_retry(response, error)


def with_retry(response: HttpResponse, error: DomainError) -> HttpResponse:
    if isinstance(error, TooManyTries):
        response["Retry-After"] = str(error.seconds)
    return response


def show_note(visit: Visit, text: str, *, status: int) -> HttpResponse:
    """Show the step again under a note that belongs to no field."""
    visit.request.go_note = text  # type: ignore[attr-defined]
    return show(visit, status=status)


def address(visit: Visit) -> str:
    """Return the public address of this page, as it is sent to a phone or drawn as a QR code."""
    return links.url_of(visit.tenant, visit.token.lower())

"""The start-up wizard: every step can be left, resumed and linked to."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import requires
from accounts.forms import OrganisationForm
from accounts.models import TermsOfService, UserSettings
from accounts.services import settings as settings_service
from apple import words
from apple.services import push_certificate, push_vendor
from core.errors import DomainError
from core.models import OutboxMessage, Tenant
from core.views.actions import WordedForm, attempt, posted
from enrollment.forms import InviteForm
from enrollment.models import Invitation
from enrollment.views.portal import invite, preview_of
from mdm.setup import progress, steps
from mdm.setup.steps import Outcome
from mdm.views import mail

TEST_MAIL = "setup_test_mail"
Shown = dict[str, Any]


class TermsForm(WordedForm):
    is_accepted = forms.BooleanField(
        label=gettext_lazy("I have read this and accept it for the organisation"),
        error_messages={"required": gettext_lazy("Accept the terms to go on.")},
    )


@requires("settings.manage")
@require_safe
def setup_index(request: HttpRequest) -> HttpResponse:
    """Resume where the setup was left."""
    return redirect("setup-step", steps.resume_at(_tenant(request)))


@requires("settings.manage")
@require_http_methods(["GET", "HEAD", "POST"])
def setup_step(request: HttpRequest, key: str) -> HttpResponse:
    step = steps.BY_KEY.get(key)
    if step is None:
        raise Http404
    shown = PAGES[key](request)
    if isinstance(shown, HttpResponse):
        return shown
    return _page(request, key, shown)


@requires("settings.manage")
@require_POST
def setup_skip(request: HttpRequest, key: str) -> HttpResponse:
    if key not in steps.BY_KEY:
        raise Http404
    try:
        progress.pass_step(tenant=request.user.tenant, key=key, outcome=Outcome.SKIPPED)
    except DomainError as error:
        messages.error(request, error.message)
        return redirect("setup-step", key)
    return redirect("setup-step", steps.after(key))


def _page(request: HttpRequest, key: str, shown: Shown) -> HttpResponse:
    tenant = _tenant(request)
    step, keys = steps.BY_KEY[key], [step.key for step in steps.STEPS]
    number = keys.index(key) + 1
    context = {
        "title": step.label,
        "step": step,
        "number": number,
        "count": len(keys),
        "back": keys[number - 2] if number > 1 else "",
        "standing": steps.standing(tenant, key),
        "may_skip": not step.must and key not in (steps.SUMMARY, *tenant.setup_outcomes),
        **shown,
    }
    form = shown.get("form")
    status = 422 if form is not None and form.errors else 200
    return render(request, f"setup/{key}.html", context, status=status)


def _tenant(request: HttpRequest) -> Tenant:
    """The organisation as it is now: the one that the request loaded may be a step behind."""
    return Tenant.objects.get(pk=request.user.tenant_id)


def _pass(request: HttpRequest, key: str) -> HttpResponse:
    progress.pass_step(tenant=request.user.tenant, key=key, outcome=Outcome.DONE)
    return redirect("setup-step", steps.after(key))


def _terms(request: HttpRequest) -> Shown | HttpResponse:
    user = request.user
    is_accepted = _tenant(request).setup_outcomes.get("terms") == Outcome.DONE
    if is_accepted and request.method == "POST":
        return redirect("setup-step", steps.after("terms"))
    form = TermsForm(posted(request))
    if form.is_valid():
        progress.accept_terms(tenant=user.tenant, actor=user.actor)
        return redirect("setup-step", steps.after("terms"))
    own = TermsOfService.objects.visible_to(user).filter(retired_at=None).first()
    return {"form": form, "is_accepted": is_accepted, "own_terms": own}


def _organisation(request: HttpRequest) -> Shown | HttpResponse:
    user = request.user
    form = OrganisationForm(posted(request), instance=_tenant(request))
    if form.is_valid() and attempt(
        form,
        settings_service.change_organisation,
        tenant=user.tenant,
        actor=user.actor,
        **form.cleaned_data,
    ):
        return _pass(request, "organisation")
    return {"form": form}


def _address(request: HttpRequest) -> Shown | HttpResponse:
    return _pass(request, "address") if request.method == "POST" else {"part": "address"}


def _mail(request: HttpRequest) -> Shown | HttpResponse:
    if request.method == "POST" and "test" not in request.POST:
        return _pass(request, "mail")
    if request.method == "POST":
        try:
            request.session[TEST_MAIL] = str(mail.send_test(request).pk)
        except DomainError as error:
            messages.error(request, error.message)
        return redirect("setup-step", "mail")
    return {**mail.facts(), "part": "mail", "test": _test_mail(request)}


def _test_mail(request: HttpRequest) -> OutboxMessage | None:
    key = request.session.get(TEST_MAIL)
    rows = OutboxMessage.objects.visible_to(request.user)
    return rows.filter(pk=uuid.UUID(key)).first() if key else None


def _push(request: HttpRequest) -> Shown | HttpResponse:
    if request.method == "POST":
        return _pass(request, "push")
    status = push_certificate.status(request.user.tenant)
    return {
        "status": status,
        "notice": words.notice(status),
        "has_vendor": push_vendor.is_configured(),
    }


def _people(request: HttpRequest) -> Shown | HttpResponse:
    user = request.user
    invited = Invitation.objects.visible_to(user).count()
    if not user.has("invitations.send"):
        return _pass(request, "people") if request.method == "POST" else {"invited": invited}
    policy, shown = UserSettings.objects.for_user(user), None
    form = InviteForm(posted(request), policy=policy)
    if form.is_valid():
        if "preview" in request.POST:
            shown = preview_of(request, form, policy)
        elif invite(request, form):
            return _pass(request, "people")
    return {"form": form, "mail": shown, "invited": invited, "policy": policy}


def _summary(request: HttpRequest) -> Shown | HttpResponse:
    user, tenant = request.user, _tenant(request)
    form = forms.Form(posted(request))
    if form.is_valid() and attempt(form, progress.finish, tenant=tenant, actor=user.actor):
        messages.success(
            request, _("The setup is finished. Everything can be changed in Settings.")
        )
        return redirect("home")
    return {
        "form": form,
        "part": "",
        "organisation": tenant,
        "missing": steps.missing(tenant),
        "push": words.notice(push_certificate.status(tenant)),
        "own_terms": TermsOfService.objects.visible_to(user).filter(retired_at=None).first(),
        "invited": Invitation.objects.visible_to(user).count(),
        **mail.facts(),
    }


PAGES: dict[str, Callable[[HttpRequest], Shown | HttpResponse]] = {
    "terms": _terms,
    "organisation": _organisation,
    "address": _address,
    "mail": _mail,
    "push": _push,
    "people": _people,
    steps.SUMMARY: _summary,
}

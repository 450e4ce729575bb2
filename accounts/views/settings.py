"""Portal: settings of the organisation, its enrollment policy, API tokens."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import PERMISSIONS, requires
from accounts.forms import OrganisationForm, PolicyForm, RetentionForm, TokenForm
from accounts.models import ApiToken, UserSettings
from accounts.services import settings as service
from accounts.services import tokens
from core import clock
from core.services import retention as retention_service
from core.views.actions import attempt, posted


@requires("settings.view")
@require_GET
def settings_index(request: HttpRequest) -> HttpResponse:
    return redirect("settings-organisation")


@requires("settings.view")
@require_http_methods(["GET", "POST"])
def organisation(request: HttpRequest) -> HttpResponse:
    tenant = request.user.tenant
    form = OrganisationForm(posted(request), instance=type(tenant).objects.get(pk=tenant.pk))
    return _edit(
        request,
        form,
        service.change_organisation,
        subject={"tenant": tenant},
        title=_("Organisation"),
        lead=_("How this server presents itself. Everything here can be changed later."),
    )


@requires("settings.view")
@require_http_methods(["GET", "POST"])
def policy(request: HttpRequest) -> HttpResponse:
    row = UserSettings.objects.visible_to(request.user).get(is_default=True)
    form = PolicyForm(posted(request), instance=UserSettings.objects.get(pk=row.pk))
    return _edit(
        request,
        form,
        service.change_policy,
        subject={"policy": row},
        template="settings/policy.html",
        title=_("Enrollment"),
        lead=_("How people enroll their devices. Changes hold for later invitations."),
    )


@requires("settings.view")
@require_http_methods(["GET", "POST"])
def retention(request: HttpRequest) -> HttpResponse:
    """How long the history is kept; what that deletes is said first, and confirmed."""
    user = request.user
    is_editable = user.has("settings.manage")
    form = RetentionForm(
        posted(request) if is_editable else None,
        initial={"months": user.tenant.history_months or ""},
    )
    to_go = 0
    if form.is_valid():
        if attempt(
            form,
            retention_service.change,
            tenant=user.tenant,
            actor=user.actor,
            **form.cleaned_data,
        ):
            messages.success(request, _("Saved."))
            return redirect("settings-history")
        to_go = retention_service.too_old(user.tenant, form.cleaned_data["months"])
        form.data = form.data.copy()
        form.data["confirmed"] = str(to_go)
    context = {
        "form": form,
        "is_editable": is_editable,
        "to_go": to_go,
        "submit_label": _("Delete them and save") if to_go else _("Save"),
        "title": _("History"),
        "lead": _("How long the change history is kept."),
    }
    status = 422 if form.errors else 200
    return render(request, "settings/retention.html", context, status=status)


@requires("settings.view")
@require_GET
def token_list(request: HttpRequest) -> HttpResponse:
    rows = ApiToken.objects.visible_to(request.user).select_related("owner")
    now = clock.now()
    context = {
        "title": _("API tokens"),
        "lead": _("Programs sign in with a token. It can do no more than its owner."),
        "live": rows.live(now),
        "ended": rows.exclude(pk__in=rows.live(now).values("pk"))[:50],
        "labels": PERMISSIONS,
    }
    return render(request, "settings/token_list.html", context)


@requires("tokens.manage")
@reauthentication_required
@require_http_methods(["GET", "POST"])
def token_new(request: HttpRequest) -> HttpResponse:
    form, made = TokenForm(posted(request), owner=request.user), {}
    if form.is_valid() and attempt(form, _make_token, request=request, form=form, made=made):
        return render(request, "settings/token_made.html", {"title": _("API tokens"), **made})
    context = {
        "form": form,
        "title": _("Create an API token"),
        "submit_label": _("Create"),
        "crumbs": [(reverse("settings-tokens"), _("API tokens"))],
        "cancel_url": reverse("settings-tokens"),
    }
    return render(request, "generic/form.html", context, status=422 if form.errors else 200)


def _make_token(*, request: HttpRequest, form: TokenForm, made: dict[str, Any]) -> None:
    days = form.cleaned_data["days"]
    made["token"], made["text"] = tokens.create(
        owner=request.user,
        name=form.cleaned_data["name"],
        scopes=form.cleaned_data["scopes"],
        actor=request.user.actor,
        expires_at=clock.now() + dt.timedelta(days=int(days)) if days else None,
    )


@requires("tokens.manage")
@require_POST
def token_revoke(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    token = get_object_or_404(ApiToken.objects.visible_to(request.user), pk=pk)
    tokens.revoke(token=token, actor=request.user.actor)
    messages.success(request, _("The token is revoked. Programs that use it are refused from now."))
    return redirect("settings-tokens")


def _edit(
    request: HttpRequest,
    form,
    change,
    *,
    subject: dict[str, Any],
    template: str = "settings/settings_form.html",
    **words,
) -> HttpResponse:
    """Show a settings form to those who may see it, and save it for those who may change it."""
    is_editable = request.user.has("settings.manage")
    if not is_editable:
        for field in form.fields.values():
            field.disabled = True
    elif form.is_valid() and attempt(
        form, change, actor=request.user.actor, **subject, **form.cleaned_data
    ):
        messages.success(request, _("Saved."))
        return redirect(request.path)
    context = {"form": form, "is_editable": is_editable, "submit_label": _("Save"), **words}
    status = 422 if form.errors else 200
    return render(request, template, context, status=status)

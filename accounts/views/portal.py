"""Portal: changes to people, and a person's own language."""

from __future__ import annotations

import uuid

from allauth.account.decorators import reauthentication_required
from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import check_for_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import requires
from accounts.forms import RolesForm, UserForm
from accounts.models import User
from accounts.services import users
from core.views.actions import attempt, posted

LANGUAGE_COOKIE_SECONDS = 365 * 86_400


def find(request: HttpRequest, pk: uuid.UUID) -> User:
    """Return a person that the principal may see, or raise Http404."""
    return get_object_or_404(User.objects.visible_to(request.user), pk=pk)


def page_of(user: User) -> str:
    return reverse("user-detail", args=[user.pk])


@requires("users.manage")
@require_http_methods(["GET", "POST"])
def user_edit(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    person = find(request, pk)
    form = UserForm(posted(request), instance=find(request, pk))
    if form.is_valid() and attempt(
        form, users.edit, user=person, actor=request.user.actor, **form.cleaned_data
    ):
        messages.success(request, _("Saved."))
        return redirect(page_of(person))
    words = {"title": _("Edit %(name)s") % {"name": person.name}, "submit_label": _("Save")}
    return _form(request, form, crumbs=_crumbs(person), cancel_url=page_of(person), **words)


@requires("roles.assign")
@reauthentication_required
@require_http_methods(["GET", "POST"])
def user_roles(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    person = find(request, pk)
    initial = {"roles": person.roles.all()}
    form = RolesForm(posted(request), principal=request.user, initial=initial)
    if form.is_valid() and attempt(
        form,
        users.set_roles,
        user=person,
        roles=form.cleaned_data["roles"],
        principal=request.user,
    ):
        messages.success(request, _("The roles are changed. They hold from the next click on."))
        return redirect(page_of(person))
    words = {"title": _("Roles of %(name)s") % {"name": person.name}, "submit_label": _("Save")}
    return _form(request, form, crumbs=_crumbs(person), cancel_url=page_of(person), **words)


@requires("users.manage")
@require_http_methods(["GET", "POST"])
def user_disable(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    person, form = find(request, pk), forms.Form(posted(request))
    if form.is_valid() and attempt(
        form, users.set_enabled, user=person, enabled=False, actor=request.user.actor
    ):
        messages.success(request, _("The account is disabled. Devices stay managed."))
        return redirect(page_of(person))
    context = {
        "form": form,
        "person": person,
        "title": _("Disable %(name)s?") % {"name": person.name},
        "submit_label": _("Disable"),
        "crumbs": _crumbs(person),
        "cancel_url": page_of(person),
    }
    return render(request, "users/user_disable.html", context, status=422 if form.errors else 200)


@requires("users.manage")
@require_POST
def user_enable(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    person = find(request, pk)
    users.set_enabled(user=person, enabled=True, actor=request.user.actor)
    messages.success(request, _("The account is enabled again."))
    return redirect(page_of(person))


@login_not_required
@require_POST
def language_set(request: HttpRequest) -> HttpResponse:
    """Keep the language: on the person's account when signed in, else in a cookie."""
    code, target = request.POST.get("language", ""), request.POST.get("next", "/")
    if not url_has_allowed_host_and_scheme(target, {request.get_host()}, request.is_secure()):
        target = "/"
    response = redirect(target)
    if code not in dict(settings.LANGUAGES) or not check_for_language(code):
        return response
    if isinstance(request.user, User):
        users.edit(user=request.user, actor=request.user.person_actor, language=code)
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        code,
        max_age=LANGUAGE_COOKIE_SECONDS,
        secure=settings.LANGUAGE_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return response


def _crumbs(person: User) -> list[tuple[str, str]]:
    return [(reverse("user-list"), _("People")), (page_of(person), person.name)]


def _form(request: HttpRequest, form: forms.BaseForm, **context) -> HttpResponse:
    status = 422 if form.errors else 200
    return render(request, "generic/form.html", {"form": form, **context}, status=status)

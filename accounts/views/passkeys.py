"""Passkeys: what our own rules add to the views of django-allauth."""

from __future__ import annotations

from typing import Any

from allauth.account.views import BaseReauthenticateView
from allauth.mfa.webauthn import views as webauthn
from allauth.mfa.webauthn.internal import auth
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.generic import RedirectView

from accounts import planes
from accounts.passkeys import has_all_passkeys
from accounts.services import passkeys as service
from accounts.views.sign_in import NewSessionKey


class AddPasskeyView(webauthn.AddWebAuthnView):
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.user.is_authenticated and has_all_passkeys(request.user):
            messages.error(
                request, _("You have as many passkeys as can be kept. Remove one first.")
            )
            return redirect("mfa_index")
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        options = auth.begin_registration(self.request.user, passwordless=True)
        return context | {"js_data": {"creation_options": options}}

    @transaction.atomic
    def form_valid(self, form) -> HttpResponse:
        user, name = self.request.user, form.cleaned_data["name"]
        service.note_added(user=user, name=name, actor=planes.actor_of(self.request))
        return super().form_valid(form)


class RemovePasskeyView(webauthn.RemoveWebAuthnView):
    @transaction.atomic
    def form_valid(self, form) -> HttpResponse:
        user, name = self.request.user, self.object.wrap().name
        service.note_removed(user=user, name=name, actor=planes.actor_of(self.request))
        return super().form_valid(form)


class ConfirmByPasskeyView(NewSessionKey, webauthn.ReauthenticateWebAuthnView):
    def form_invalid(self, form) -> HttpResponse:
        """Show what was wrong where it was asked for."""
        return BaseReauthenticateView.form_invalid(self, form)


class PasskeysView(RedirectView):
    """The list is a part of the page about signing in."""

    pattern_name = "mfa_index"

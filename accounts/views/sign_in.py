"""Sign-in: what our own rules add to the views of django-allauth."""

from __future__ import annotations

from allauth.account.views import ReauthenticateView
from allauth.mfa.base.views import ReauthenticateView as CodeReauthenticateView
from django.http import HttpResponse


class _NewSessionKey:
    """A session that may do more from now on gets a new key: the one before may be known."""

    def form_valid(self, form) -> HttpResponse:
        response = super().form_valid(form)
        self.request.session.cycle_key()
        return response


class ConfirmView(_NewSessionKey, ReauthenticateView): ...


class ConfirmByCodeView(_NewSessionKey, CodeReauthenticateView): ...

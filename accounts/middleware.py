"""Rules of a portal session: language, temporary password, second factor."""

from __future__ import annotations

from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone, translation

from accounts.models import User

# What somebody may reach who still has to change the password or add the second factor.
SETUP_VIEWS = frozenset(
    {
        "account_logout",
        "account_change_password",
        "account_reauthenticate",
        "mfa_activate_totp",
        "mfa_reauthenticate",
        "mfa_generate_recovery_codes",
        "mfa_view_recovery_codes",
        "mfa_download_recovery_codes",
        "mfa_index",
        "set-language",
    }
)


class UserLocaleMiddleware:
    """Chooses the language: the person's own, the one picked on a page, or the browser's."""

    def __init__(self, get_response) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        language = self._choose(request)
        with translation.override(language):
            request.LANGUAGE_CODE = language
            response = self.get_response(request)
        response.headers.setdefault("Content-Language", language)
        response["Vary"] = ", ".join(filter(None, [response.get("Vary"), "Accept-Language"]))
        return response

    @staticmethod
    def _choose(request: HttpRequest) -> str:
        if request.user.is_authenticated and request.user.language:
            return request.user.language
        return translation.get_language_from_request(request)


class SessionRulesMiddleware:
    """Sends people to what they must do first: a new password, then the second factor."""

    def __init__(self, get_response) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if isinstance(request.user, User):
            zone = request.user.time_zone or request.user.tenant.time_zone
            with timezone.override(zone):
                return self.get_response(request)
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view, args, kwargs) -> HttpResponse | None:
        if not isinstance(request.user, User):
            return None
        name = request.resolver_match.view_name if request.resolver_match else ""
        if name in SETUP_VIEWS or not getattr(view, "login_required", True):
            return None
        if request.user.must_change_password:
            return redirect("account_change_password")
        if must_add_second_factor(request.user):
            return redirect("mfa_activate_totp")
        return None


def must_add_second_factor(user: User) -> bool:
    """Say whether an administrator still lacks the second factor that the server asks for."""
    return settings.MUSTER_REQUIRE_ADMIN_MFA and user.is_administrator and not is_mfa_enabled(user)

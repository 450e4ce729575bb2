"""Rules of a session: its plane, language, temporary password, second factor."""

from __future__ import annotations

from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import set_urlconf
from django.utils import timezone, translation

from accounts import planes
from accounts.models import User
from accounts.session_store import SessionStore
from core import net

# What somebody may reach who still has to change the password or add the second factor.
SETUP_VIEWS = frozenset(
    {
        "account_logout",
        "account_change_password",
        "account_reauthenticate",
        "mfa_activate_totp",
        "mfa_add_webauthn",
        "mfa_reauthenticate",
        "mfa_reauthenticate_webauthn",
        "mfa_generate_recovery_codes",
        "mfa_view_recovery_codes",
        "mfa_download_recovery_codes",
        "mfa_index",
        "set-language",
    }
)


class PlaneMiddleware:
    """Gives /me/ its own routes and cookies, so that no page of one plane sees those of the other.

    Django and allauth know one name for each cookie and for each page of the sign-in: here the
    names of the plane are put in place of those.
    """

    def __init__(self, get_response) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        cookies = planes.self_service_cookies()
        if not planes.is_self_service(request.path_info):
            for theirs in cookies.values():
                request.COOKIES.pop(theirs, None)
            return self.get_response(request)
        request.urlconf = settings.ME_URLCONF  # type: ignore[attr-defined]
        set_urlconf(settings.ME_URLCONF)
        for known, ours in cookies.items():
            request.COOKIES.pop(known, None)
            if ours in request.COOKIES:
                request.COOKIES[known] = request.COOKIES.pop(ours)
        response = self.get_response(request)
        for known, ours in cookies.items():
            if (morsel := response.cookies.pop(known, None)) is not None:
                response.cookies[ours] = morsel.value
                response.cookies[ours].update({name: v for name, v in morsel.items() if v != ""})
        return response


class AudienceSessionMiddleware(SessionMiddleware):
    """Opens the session for the audience of the plane, and notes from where it is used."""

    def process_request(self, request: HttpRequest) -> None:
        request.session = SessionStore(
            request.COOKIES.get(settings.SESSION_COOKIE_NAME),
            audience=planes.audience_of(request),
            ip=net.client_ip(request),
            user_agent=request.headers.get("User-Agent", ""),
        )

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        response = super().process_response(request, response)
        if request.session.accessed and not request.session.modified:
            request.session.touch()
        return response


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
        is_portal = not planes.is_self_service(request.path_info)
        if is_portal and must_add_second_factor(request.user):
            return redirect("mfa_activate_totp")
        return None


def must_add_second_factor(user: User) -> bool:
    """Say whether an administrator still lacks the second factor that the portal asks for."""
    return settings.MUSTER_REQUIRE_ADMIN_MFA and user.is_administrator and not is_mfa_enabled(user)

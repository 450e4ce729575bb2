"""The two planes that people sign in to; each has its own cookies, sessions and sign-in page."""

from __future__ import annotations

from allauth.account.authentication import get_authentication_records
from django.conf import settings
from django.http import HttpRequest

from accounts.models.session import SessionAudience
from core import clock
from core.actors import Actor

SELF_SERVICE_PREFIX = "/me"
# Which class of accounts.backends signs people in on a plane.
BACKENDS = {
    SessionAudience.PORTAL: "accounts.backends.PortalBackend",
    SessionAudience.SELF_SERVICE: "accounts.backends.SelfServiceBackend",
}


def is_self_service(path: str) -> bool:
    return path == SELF_SERVICE_PREFIX or path.startswith(f"{SELF_SERVICE_PREFIX}/")


def audience_of(request: HttpRequest | None) -> SessionAudience:
    """Return for whom the addressed plane is; without a request it is the administrators'."""
    if request is not None and is_self_service(request.path_info):
        return SessionAudience.SELF_SERVICE
    return SessionAudience.PORTAL


def proved_recently(request: HttpRequest) -> bool:
    """Say whether the person of a session showed who they are within the last minutes, when they
    signed in or after."""
    records = get_authentication_records(request, request.user)
    now = clock.now().timestamp()
    return any(now - one["at"] < settings.ACCOUNT_REAUTHENTICATION_TIMEOUT for one in records)


def urlconf_of(audience: str) -> str:
    """Return where the addresses of a plane are listed."""
    if audience == SessionAudience.SELF_SERVICE:
        return settings.ME_URLCONF
    return settings.ROOT_URLCONF


def self_service_cookies() -> dict[str, str]:
    """Return how the cookies that Django knows by one name are called on the pages of /me/."""
    return {
        settings.SESSION_COOKIE_NAME: settings.ME_COOKIE_NAME,
        settings.CSRF_COOKIE_NAME: settings.ME_CSRF_COOKIE_NAME,
    }


def actor_of(request: HttpRequest) -> Actor:
    """Return who acts: on /me/ a person for themselves, elsewhere an administrator."""
    is_own = is_self_service(request.path_info)
    return request.user.person_actor if is_own else request.user.actor  # type: ignore[union-attr]

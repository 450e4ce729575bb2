"""Who may sign in, and on which plane."""

from __future__ import annotations

from typing import ClassVar

from allauth.account.auth_backends import AuthenticationBackend

from accounts import planes
from accounts.models import User
from accounts.models.session import SessionAudience


class PlaneBackend(AuthenticationBackend):
    """Signs in people on one plane; everybody else gets the same answer as a stranger.

    The password is checked first in any case, so that the time tells nothing.
    """

    audience: ClassVar[SessionAudience]

    def authenticate(self, request, **credentials):
        if planes.audience_of(request) != self.audience:
            return None
        user = super().authenticate(request, **credentials)
        # allauth would send a disabled person to a page of their own, which tells too much.
        self.unstash_authenticated_user()
        return user if user is not None and may_enter(user, self.audience) else None

    def get_user(self, user_id):
        user = super().get_user(user_id)
        return user if user is not None and user.is_active else None

    def has_perm(self, user_obj, perm, obj=None) -> bool:
        return False


class PortalBackend(PlaneBackend):
    audience = SessionAudience.PORTAL


class SelfServiceBackend(PlaneBackend):
    audience = SessionAudience.SELF_SERVICE


def may_enter(user: User, audience: str) -> bool:
    """Say who belongs on a plane: active people with a role to the portal, every active person
    to their own devices."""
    return user.is_administrator if audience == SessionAudience.PORTAL else user.is_active

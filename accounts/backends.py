"""Who may sign in to the portal."""

from __future__ import annotations

from allauth.account.auth_backends import AuthenticationBackend


class PortalBackend(AuthenticationBackend):
    """Signs in active people who have a role; everybody else gets the same answer as a stranger.

    The password is checked first in any case, so that the time tells nothing.
    """

    def authenticate(self, request, **credentials):
        user = super().authenticate(request, **credentials)
        # allauth would send a disabled person to a page of their own, which tells too much.
        self.unstash_authenticated_user()
        return user if user is not None and user.is_administrator else None

    def get_user(self, user_id):
        user = super().get_user(user_id)
        return user if user is not None and user.is_active else None

    def has_perm(self, user_obj, perm, obj=None) -> bool:
        return False

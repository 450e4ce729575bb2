"""Links to a new password: one-time secrets like every other, so that they end with the rest."""

from __future__ import annotations

import datetime as dt

from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.urls import reverse

from accounts import planes
from accounts.models import SessionAudience, User
from accounts.services.users import RESET
from core import onetime

RESET_TTL = dt.timedelta(hours=24)


class ResetTokens:
    """What django-allauth asks for tokens. One is dead once the password or the address is
    changed, or the person disabled; `users` ends them."""

    def make_token(self, user: User) -> str:
        _row, token = onetime.issue(
            tenant=user.tenant,
            purpose=RESET,
            subject=onetime.subject_of(user),
            ttl=RESET_TTL,
            data={"email": user.email},
        )
        return token

    def check_token(self, user: User | None, token: str | None) -> bool:
        if user is None or not user.is_active:
            return False
        row = onetime.find(RESET, token or "")
        is_theirs = row is not None and row.subject == onetime.subject_of(user)
        return row is not None and is_theirs and row.data.get("email") == user.email


def link_for(user: User, audience: str = SessionAudience.PORTAL) -> str:
    """Make a link to a new password on the plane where it was asked for, by the configured
    address and never that of a request."""
    path = reverse(
        "account_reset_password_from_key",
        urlconf=planes.urlconf_of(audience),
        kwargs={"uidb36": user_pk_to_url_str(user), "key": ResetTokens().make_token(user)},
    )
    return f"{settings.MUSTER_PUBLIC_URL}{path}"

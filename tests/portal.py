"""What tests of the portal share."""

from __future__ import annotations

import time

from django.conf import settings
from django.contrib.auth import login
from django.test import Client, RequestFactory
from django.urls import reverse

from accounts.models import SessionAudience
from accounts.session_store import SessionStore


def sign_in_me(client: Client, user, *, is_recent: bool = False) -> SessionStore:
    """Give a client a session of the self-service portal, beside what it has."""
    request = RequestFactory().get("/me/")
    request.session = SessionStore(audience=SessionAudience.SELF_SERVICE)
    login(request, user, backend="accounts.backends.SelfServiceBackend")
    request.session.save()
    client.cookies[settings.ME_COOKIE_NAME] = request.session.session_key
    if is_recent:
        _confirm(request.session)
    return request.session


def me(name: str, *args: object) -> str:
    """The address of a page of the self-service portal."""
    return reverse(name, urlconf=settings.ME_URLCONF, args=args)


def confirm(client: Client) -> None:
    """Make the sign-in of a client a recent one, as after typing the password again."""
    _confirm(client.session)


def _confirm(session: SessionStore) -> None:
    session["account_authentication_methods"] = [
        {"method": "password", "at": time.time(), "reauthenticated": True}
    ]
    session["account_authentication_methods_user"] = session["_auth_user_id"]
    session.save()


def path(name: str, *args: object) -> str:
    return reverse(name, args=args)


def text(response) -> str:
    return " ".join(response.content.decode().split())


def history_of(row) -> list[str]:
    """The actions that the change history tells about a row, oldest first."""
    from core.models import HistoryEntry

    entries = HistoryEntry.objects.about(row).order_by("id")
    return list(entries.values_list("action", flat=True))

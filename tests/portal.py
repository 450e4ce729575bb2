"""What tests of the portal share."""

from __future__ import annotations

import time

from django.test import Client
from django.urls import reverse


def confirm(client: Client) -> None:
    """Make the sign-in of a client a recent one, as after typing the password again."""
    session = client.session
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

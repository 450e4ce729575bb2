"""People: users, roles, settings, sign-in."""

from __future__ import annotations

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        from accounts.services import mails
        from core import outbox

        outbox.register(mails.KIND, mails.write)

"""People: users, roles, settings, sign-in."""

from __future__ import annotations

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        from accounts import grouping, rule_fields
        from accounts.services import mails
        from core import outbox

        grouping.register(rule_fields.SHAPE)

        outbox.register(mails.KIND, mails.write)

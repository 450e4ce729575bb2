"""People: users, roles, settings, sign-in."""

from __future__ import annotations

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        from accounts import grouping, rule_fields
        from accounts.services import mails
        from accounts.views import saved
        from core import outbox
        from core.views import lists

        grouping.register(rule_fields.SHAPE)

        outbox.register(mails.KIND, mails.write)
        lists.on_open(saved.begin_with_default)

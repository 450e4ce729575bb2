"""The ground floor: tenants, history, outbox, one-time secrets, stored keys."""

from __future__ import annotations

from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "core"

    def ready(self) -> None:
        from core import outbox
        from core.services import mail

        outbox.register(mail.KIND, mail.send, on_failure=mail.tell_of_failure)

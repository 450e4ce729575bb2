"""The ground floor: tenants, history, outbox, one-time secrets, stored keys."""

from __future__ import annotations

from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "core"

    def ready(self) -> None:
        from django.db.backends.signals import connection_created

        from core import outbox
        from core.rules import functions
        from core.services import mail, webhooks

        connection_created.connect(functions.teach, dispatch_uid="core.rules")

        outbox.register(mail.KIND, mail.send, on_failure=mail.tell_of_failure)
        outbox.register(webhooks.KIND, webhooks.deliver, on_failure=webhooks.note_failure)

"""How a person gets a device registered: invitations, PINs, sessions, pages, reminders."""

from __future__ import annotations

from django.apps import AppConfig


class EnrollmentConfig(AppConfig):
    name = "enrollment"

    def ready(self) -> None:
        from core import outbox
        from core.services import mail
        from enrollment.services import invitations, letters

        outbox.register(letters.KIND, letters.write)
        mail.on_failure(invitations.note_failed_mail)

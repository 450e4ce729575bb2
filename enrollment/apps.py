"""How a person gets a device registered: invitations, PINs, sessions, pages, reminders."""

from __future__ import annotations

from django.apps import AppConfig


class EnrollmentConfig(AppConfig):
    name = "enrollment"

    def ready(self) -> None:
        from core import outbox
        from core.services import mail
        from enrollment.services import invitations, ledger, letters, notices

        outbox.register(letters.KIND, letters.write)
        notices.register()
        mail.on_failure(invitations.note_failed_mail)
        mail.on_failure(ledger.note_failed)
        mail.on_delivery(ledger.note_sent)

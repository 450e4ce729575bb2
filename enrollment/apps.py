"""How a person gets a device registered: invitations, PINs, sessions, pages, reminders."""

from __future__ import annotations

from django.apps import AppConfig


class EnrollmentConfig(AppConfig):
    name = "enrollment"

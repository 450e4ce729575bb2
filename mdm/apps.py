"""The roof: pages and commands that are composed of many apps."""

from __future__ import annotations

from django.apps import AppConfig


class MdmConfig(AppConfig):
    name = "mdm"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from mdm import checks  # noqa: F401 - registers the system checks

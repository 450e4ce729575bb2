"""Apple's wire: SCEP, check-in, connect, push."""

from __future__ import annotations

from django.apps import AppConfig


class AppleConfig(AppConfig):
    name = "apple"

    def ready(self) -> None:
        from apple import backend, platform

        backend.register()
        platform.register()

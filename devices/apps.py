"""Device entries, their states, channels, commands and identities."""

from __future__ import annotations

from django.apps import AppConfig


class DevicesConfig(AppConfig):
    name = "devices"

    def ready(self) -> None:
        from devices import action_catalogue, actions

        actions.register(*action_catalogue.ACTIONS)

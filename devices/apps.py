"""Device entries, their states, channels, commands and identities."""

from __future__ import annotations

from django.apps import AppConfig


class DevicesConfig(AppConfig):
    name = "devices"

    def ready(self) -> None:
        from accounts import grouping
        from devices import action_catalogue, actions, rule_fields
        from devices.services import grouped

        actions.register(*action_catalogue.ACTIONS)
        grouping.register(rule_fields.SHAPE)
        grouping.on_people_changed(grouped.note_people)

"""The ground floor: tenants, history, outbox, one-time secrets, stored keys."""

from __future__ import annotations

from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "core"

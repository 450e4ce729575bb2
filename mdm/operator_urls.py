"""Routes for operators and monitors."""

from __future__ import annotations

from django.urls import path

from mdm.views import health

urlpatterns = [
    path("healthz", health.alive, name="healthz"),
    path("readyz", health.ready, name="readyz"),
    path("metrics", health.measured, name="metrics"),
]

"""Routes of the API; everything that can change is under a version."""

from __future__ import annotations

from django.urls import include, path

from core.api.schema import DocumentationView, SchemaView
from mdm.api import HealthView

VERSION = [
    path("", include("devices.api.urls")),
    path("", include("accounts.api.urls")),
    path("", include("enrollment.api.urls")),
    path("", include("apple.api.urls")),
    path("", include("core.api.urls")),
    path("health/", HealthView.as_view({"get": "retrieve"}), name="api-health"),
]

urlpatterns = [
    path("schema/", SchemaView.as_view(), name="api-schema"),
    path("docs/", DocumentationView.as_view(url_name="api-schema"), name="api-docs"),
    path("v1/", include(VERSION)),
]

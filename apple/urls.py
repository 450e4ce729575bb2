"""Routes."""

from __future__ import annotations

from django.urls import path

from apple.views.scep import scep_endpoint

urlpatterns = [
    path("mdm/apple/scep/<slug:tenant>", scep_endpoint, name="apple-scep"),
]

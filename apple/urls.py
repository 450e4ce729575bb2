"""Routes."""

from __future__ import annotations

from django.urls import path

from apple.views.device import checkin_endpoint, connect_endpoint
from apple.views.scep import scep_endpoint

urlpatterns = [
    path("mdm/apple/checkin", checkin_endpoint, name="apple-checkin"),
    path("mdm/apple/connect", connect_endpoint, name="apple-connect"),
    path("mdm/apple/scep/<slug:tenant>", scep_endpoint, name="apple-scep"),
]

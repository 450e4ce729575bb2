"""Routes."""

from __future__ import annotations

from django.urls import path

from apple.views import portal
from apple.views.device import checkin_endpoint, connect_endpoint
from apple.views.scep import scep_endpoint

urlpatterns = [
    path("mdm/apple/checkin", checkin_endpoint, name="apple-checkin"),
    path("mdm/apple/connect", connect_endpoint, name="apple-connect"),
    path("mdm/apple/scep/<slug:tenant>", scep_endpoint, name="apple-scep"),
    path("settings/push/", portal.push_page, name="settings-push"),
    path("settings/push/request/", portal.push_request, name="settings-push-request"),
    path(
        "settings/push/request/<uuid:pk>/<str:kind>/",
        portal.push_request_file,
        name="settings-push-request-file",
    ),
    path("settings/push/certificate/", portal.push_upload, name="settings-push-upload"),
    path("settings/push/resume/", portal.push_resume, name="settings-push-resume"),
]

"""Routes."""

from __future__ import annotations

from django.urls import path

from apple.api.views import PushView

urlpatterns = [
    path("push/", PushView.as_view({"get": "retrieve"}), name="api-push"),
    path(
        "push/requests/",
        PushView.as_view({"get": "requests", "post": "ask"}),
        name="api-push-requests",
    ),
    path("push/certificate/", PushView.as_view({"post": "upload"}), name="api-push-upload"),
    path("push/resume/", PushView.as_view({"post": "resume"}), name="api-push-resume"),
]

"""Routes of the people who enroll devices."""

from __future__ import annotations

from django.urls import path, re_path

from enrollment.views import browser_push, download, go, scan

app_name = "enrollment"
urlpatterns = [
    path("go", go.page, name="go"),
    path("go/", go.page, name="go-slash"),
    path("go/status", go.status, name="status"),
    path("go/push", browser_push.subscribe, name="push"),
    path("go/push-worker.js", browser_push.worker, name="push-worker"),
    path("go/code-status", go.code_status, name="code-status"),
    path("go/q/<str:token>", scan.page, name="code"),
    path("go/<str:link>", go.page, name="link"),
    path("go/<str:link>/", go.page, name="link-slash"),
    # Some people add what the older instructions said: the address ends in /go.
    path("go/<str:link>/go", go.page, name="link-go"),
    re_path(r"^[Gg][Oo](?P<rest>/[A-Za-z2-7/]*)?$", go.lower_case, name="lower-case"),
    path("enroll/<str:token>/profile", download.profile, name="profile"),
]

"""Routes of adding a device from the self-service portal, and of reminders."""

from __future__ import annotations

from django.urls import path

from enrollment.views import self_service

urlpatterns = [
    path("devices/add/", self_service.device_add, name="me-device-add"),
    path("devices/add/here/", self_service.begin_here, name="me-begin-here"),
    path("devices/add/code/", self_service.code_show, name="me-code"),
    path("devices/add/code/status/", self_service.code_status, name="me-code-status"),
    path("devices/add/code/disown/", self_service.code_disown, name="me-code-disown"),
    path("devices/add/pin/", self_service.pin_request, name="me-pin-request"),
    path("reminders/stop/", self_service.reminders_stop, name="me-reminders-stop"),
    path("reminders/browser/", self_service.browser_forget, name="me-browser-forget"),
]

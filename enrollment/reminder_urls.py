"""Routes of the portal about reminders; settings pages have names without a namespace."""

from __future__ import annotations

from django.urls import path

from enrollment.views import reminder_settings as views

urlpatterns = [
    path("settings/reminders/", views.page, name="settings-reminders"),
    path("settings/reminders/apple/", views.install_apns, name="settings-reminders-apple"),
    path("settings/reminders/firebase/", views.install_fcm, name="settings-reminders-firebase"),
    path("settings/reminders/browser/", views.turn_on_browsers, name="settings-reminders-browser"),
    path("settings/reminders/<slug:purpose>/test/", views.test, name="settings-reminders-test"),
    path(
        "settings/reminders/<slug:purpose>/remove/", views.remove, name="settings-reminders-remove"
    ),
]

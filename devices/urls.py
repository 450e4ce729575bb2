"""Routes of the portal's device pages; the page of one device is composed in the roof."""

from __future__ import annotations

from django.urls import path

from devices.views import actions, portal

app_name = "devices"
urlpatterns = [
    path("devices/", portal.device_list, name="device-list"),
    path("devices/<uuid:pk>/pin/", portal.pin_reveal, name="pin-reveal"),
    *actions.routes(),
]

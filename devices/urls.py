"""Routes of the portal's device pages; the page of one device is composed in the roof."""

from __future__ import annotations

from django.urls import path

from devices.views import actions, commands, portal

app_name = "devices"
urlpatterns = [
    path("devices/", portal.device_list, name="device-list"),
    path("devices/<uuid:pk>/pin/", portal.pin_reveal, name="pin-reveal"),
    path("devices/<uuid:pk>/location/", commands.location_reveal, name="location-reveal"),
    path("devices/commands/<uuid:pk>/", commands.command_raw, name="command-raw"),
    path("devices/commands/<uuid:pk>/cancel/", commands.command_cancel, name="command-cancel"),
    *actions.routes(),
]

"""Routes of the portal's device pages; the page of one device is composed in the roof."""

from __future__ import annotations

from django.urls import path

from devices.views import portal

app_name = "devices"
urlpatterns = [
    path("devices/", portal.device_list, name="device-list"),
    path("devices/<uuid:pk>/check-in/", portal.device_check_in, name="device-check-in"),
    path("devices/<uuid:pk>/lock/", portal.device_lock, name="device-lock"),
    path("devices/<uuid:pk>/retire/", portal.device_retire, name="device-retire"),
    path("devices/<uuid:pk>/wipe/", portal.device_wipe, name="device-wipe"),
    path("devices/<uuid:pk>/cancel/", portal.order_cancel, name="order-cancel"),
    path("devices/<uuid:pk>/delete/", portal.device_delete, name="device-delete"),
    path("devices/<uuid:pk>/pin/", portal.pin_reveal, name="pin-reveal"),
]

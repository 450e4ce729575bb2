"""Routes of people's own devices; the page of one device is composed in the roof."""

from __future__ import annotations

from django.urls import path

from devices.views import self_service

urlpatterns = [
    path("devices/<uuid:pk>/check-in/", self_service.device_check_in, name="me-device-check-in"),
    path("devices/<uuid:pk>/lock/", self_service.device_lock, name="me-device-lock"),
    path("devices/<uuid:pk>/retire/", self_service.device_retire, name="me-device-retire"),
    path("devices/<uuid:pk>/wipe/", self_service.device_wipe, name="me-device-wipe"),
    path("devices/<uuid:pk>/cancel/", self_service.order_cancel, name="me-order-cancel"),
    path(
        "devices/<uuid:pk>/clear-passcode/",
        self_service.device_clear_passcode,
        name="me-device-clear-passcode",
    ),
    path("devices/<uuid:pk>/lost-mode/", self_service.device_lost_mode, name="me-device-lost-mode"),
    *(
        path(
            f"devices/<uuid:pk>/{action.replace('_', '-')}/",
            self_service.device_search,
            {"action": action},
            name=f"me-device-{action.replace('_', '-')}",
        )
        for action in ("lost_mode_off", "locate", "play_sound")
    ),
    path("devices/<uuid:pk>/location/", self_service.location_reveal, name="me-location-reveal"),
    path("devices/<uuid:pk>/pin/", self_service.pin_reveal, name="me-pin-reveal"),
]

"""Every route of the self-service portal. `PlaneMiddleware` puts this table in place of the other
for paths under /me/, so that a name means the page of this plane."""

from __future__ import annotations

from django.urls import include, path
from django.views.generic import RedirectView

from accounts.views import portal as accounts
from mdm.views import me

urlpatterns = [
    path("me", RedirectView.as_view(pattern_name="me-home"), name="me-bare"),
    path("me/", me.home, name="me-home"),
    path("me/language/", accounts.language_set, name="set-language"),
    path("me/", include("accounts.self_service_urls")),
    path("me/", include("enrollment.self_service_urls")),
    path("me/devices/<uuid:pk>/", me.device_detail, name="me-device"),
    path("me/", include("devices.self_service_urls")),
]
handler400 = "mdm.views.errors.bad_request"
handler403 = "mdm.views.errors.permission_denied"
handler404 = "mdm.views.errors.not_found"
handler500 = "mdm.views.errors.server_error"

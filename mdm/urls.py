"""Every surface of the server in one table; each app lists its own routes."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [
    path("", include("mdm.operator_urls")),
    path("", include("mdm.portal_urls")),
    path("", include("accounts.urls")),
    path("", include("devices.urls")),
    path("", include("enrollment.urls")),
    path("", include("apple.urls")),
    path("api/", include("mdm.api_urls")),
    path("client/v1/", include("enrollment.api.client_urls")),
]
handler400 = "mdm.views.errors.bad_request"
handler403 = "mdm.views.errors.permission_denied"
handler404 = "mdm.views.errors.not_found"
handler500 = "mdm.views.errors.server_error"

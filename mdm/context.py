"""What every page of the portal knows."""

from __future__ import annotations

from django.http import HttpRequest


def portal(request: HttpRequest) -> dict:
    """Give templates the tenant and a test for permissions: ``{% if may.devices_wipe %}``."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {"may": {}, "tenant": None}
    return {
        "tenant": user.tenant,
        "may": {name.replace(".", "_"): True for name in user.permissions},
    }

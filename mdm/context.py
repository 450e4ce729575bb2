"""What every page of the portal knows."""

from __future__ import annotations

from functools import partial

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from accounts.services import tenants
from mdm import degraded, navigation


def portal(request: HttpRequest) -> dict:
    """Give templates the tenant and a test for permissions: ``{% if may.devices_wipe %}``.

    What costs queries (`degraded`) is a function, which only the frame calls.
    """
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {"may": {}, "tenant": SimpleLazyObject(partial(_tenant_of_page, request))}
    return {
        "tenant": user.tenant,
        "may": {name.replace(".", "_"): True for name in user.permissions},
        "navigation": partial(navigation.rail, request),
        "settings_pages": partial(navigation.settings_pages, request),
        "degraded": partial(degraded.notices, user),
        "error_layout": "base.html",
    }


def _tenant_of_page(request: HttpRequest):
    """The organisation of an anonymous page; none on a host that is not ours."""
    try:
        return tenants.for_host(request.get_host())
    except DisallowedHost:
        return None

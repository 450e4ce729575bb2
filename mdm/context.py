"""What every page of the portal knows."""

from __future__ import annotations

from functools import partial

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

from accounts import planes
from accounts.services import tenants
from accounts.views import saved
from devices.services import safeguards
from mdm import degraded, navigation
from mdm.groups_ui import DEVICES
from mdm.setup import steps


def portal(request: HttpRequest) -> dict:
    """Give templates the tenant and a test for permissions: ``{% if may.devices_wipe %}``.

    What costs queries (`degraded`) is a function, which only the frame calls.
    """
    user = getattr(request, "user", None)
    if planes.is_self_service(request.path_info):
        return _self_service(request, user)
    if user is None or not user.is_authenticated:
        return {"may": {}, "tenant": SimpleLazyObject(partial(_tenant_of_page, request))}
    return {
        "tenant": user.tenant,
        "may": {name.replace(".", "_"): True for name in user.permissions},
        "navigation": partial(navigation.rail, request),
        "settings_pages": partial(navigation.settings_pages, request),
        "group_pages": DEVICES,
        "degraded": partial(degraded.notices, user),
        "freeze": SimpleLazyObject(partial(_freeze, user)),
        "setup_hint": partial(steps.hint, user),
        "saved_views": partial(saved.menu, request),
        "error_layout": "base.html",
    }


def _freeze(user):
    """The emergency freeze, for everybody with rights about devices; None without one."""
    if not any(name.startswith("devices.") for name in user.permissions):
        return None
    row = safeguards.of(user.tenant_id)
    return row if row.is_frozen else None


def _self_service(request: HttpRequest, user) -> dict:
    """What the pages of /me/ know: there a person has no permissions, whatever their roles."""
    frame = {"may": {}, "error_layout": "me/error_layout.html", "home_url": reverse("me-home")}
    if user is None or not user.is_authenticated:
        return frame | {"tenant": SimpleLazyObject(partial(_tenant_of_page, request))}
    return frame | {
        "tenant": user.tenant,
        "navigation": partial(navigation.self_service, request),
    }


def _tenant_of_page(request: HttpRequest):
    """The organisation of an anonymous page; none on a host that is not ours."""
    try:
        return tenants.for_host(request.get_host())
    except DisallowedHost:
        return None

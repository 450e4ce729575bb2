"""Every page of the portal names the permission that it needs, and keeps everybody else out."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.access import PERMISSIONS, READY_MADE_ROLES
from tests import factories
from tests.architecture.routes import routes
from tests.architecture.test_routes import listed

pytestmark = pytest.mark.embedded_only
# Pages for everybody who is signed in: what each shows depends on the person. A view of a list can
# be saved by whoever may see the list, which tests/accounts/test_saved_views.py proves.
FOR_ALL = {
    "home",
    "search",
    "set-language",
    "me-bare",
    "accounts:view-new",
    "accounts:view-default",
    "accounts:view-delete",
}
OWN_ACCOUNT = ("account_", "mfa_")
OTHER_PLANES = ("api/", "client/", "mdm/", "go", "[Gg]", "enroll/", "me/")


def portal_routes():
    return [
        route
        for route in routes()
        if route.name not in FOR_ALL
        and not route.name.startswith(OWN_ACCOUNT)
        and not route.pattern.startswith(OTHER_PLANES)
        and route.pattern not in listed()
    ]


def test_every_page_declares_a_known_permission():
    silent = [
        route.pattern
        for route in portal_routes()
        if getattr(route.callback, "permission", None) not in PERMISSIONS
    ]
    assert silent == []


@pytest.mark.django_db
@pytest.mark.parametrize("role", [*READY_MADE_ROLES], ids=lambda role: role.key)
def test_a_page_opens_to_its_permission_and_to_nothing_less(tenant, role, settings):
    settings.MUSTER_REQUIRE_ADMIN_MFA = False
    client = Client(raise_request_exception=False)
    client.force_login(factories.user(tenant, role.key), backend="accounts.backends.PortalBackend")
    wrong = []
    for route in portal_routes():
        if route.parameters:
            continue
        status = client.get(route.path()).status_code
        may = route.callback.permission in role.permissions
        # A page may be for posting only, or ask to confirm the password first.
        if (status == 403) == may or status not in (200, 302, 403, 405):
            wrong.append(f"{route.pattern}: {status} for {role.key}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.django_db
def test_somebody_without_a_role_gets_no_page(tenant, person, settings):
    settings.MUSTER_REQUIRE_ADMIN_MFA = False
    client = Client(raise_request_exception=False)
    client.force_login(person, backend="accounts.backends.PortalBackend")
    opened = [
        route.pattern
        for route in portal_routes()
        if client.get(route.path()).status_code not in (302, 403, 404, 405)
    ]
    assert opened == []

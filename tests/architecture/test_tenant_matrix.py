"""S-77: nobody learns anything about another organisation, whatever their role."""

from __future__ import annotations

import re
import uuid

import pytest
from django.test import Client

from accounts.access import READY_MADE_ROLES
from core.models import HistoryEntry
from tests import factories
from tests.architecture.objects import WITHOUT_OBJECT, World, values_of
from tests.architecture.routes import routes
from tests.portal import confirm

pytestmark = [pytest.mark.django_db, pytest.mark.embedded_only]
ROLES = [role.key for role in READY_MADE_ROLES]
METHODS = ("GET", "POST", "PATCH", "PUT", "DELETE")
RANDOM = {"uuid": lambda: uuid.uuid4(), "int": lambda: 999_999_999, "str": lambda: "nothing"}
# What differs between two answers without telling anything: incident ids, tokens of forms.
VARYING = re.compile(rb'[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|value="[A-Za-z0-9]{64}"')

NOT_LISTS = ("sign-", "account/", "healthz", "metrics")


def object_routes():
    return [
        route
        for route in routes()
        if route.parameters
        and route.pattern not in WITHOUT_OBJECT
        and not route.pattern.startswith(("go", "[Gg]"))
    ]


@pytest.fixture
def world(tenant):
    return World(tenant)


@pytest.fixture
def outsider(other_tenant, settings):
    """Sign in somebody of the other organisation, freshly, so that no step-up comes between."""
    settings.MUSTER_REQUIRE_ADMIN_MFA = False

    def sign_in(role):
        client = Client(raise_request_exception=False)
        user = factories.user(other_tenant, role)
        client.force_login(user, backend="accounts.backends.PortalBackend")
        confirm(client)
        _, token = factories.token(user)
        client.api_headers = {"Authorization": f"Bearer {token}"}
        return client

    return sign_in


def ask(client, method, path):
    if path.startswith("/api/"):
        body = b"{}" if method != "GET" else b""
        headers, kind = client.api_headers, "application/json"
    else:
        body, headers, kind = b"", {}, "application/x-www-form-urlencoded"
    return client.generic(method, path, body, content_type=kind, headers=headers)


def is_served(route, method):
    """An API view refuses a method that it does not know before it looks for anything."""
    actions = getattr(route.callback, "actions", None)
    return actions is None or method.lower() in actions


def random_values(route):
    return {name: RANDOM[kind]() for name, kind in route.parameters}


def shape(answer):
    """Status and size, without the address, which a page may repeat."""
    content = answer.content.replace(answer.wsgi_request.path.encode(), b"")
    return answer.status_code, len(VARYING.sub(b"", content))


def test_every_route_about_an_object_is_in_the_matrix(world):
    known = {route: values_of(route.pattern, world) for route in object_routes()}
    unknown = [route.pattern for route, values in known.items() if values is None]
    assert unknown == [], "say in objects.py which object these routes are about"


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("role", ROLES)
def test_a_foreign_object_looks_like_none(world, outsider, role, method):
    client = outsider(role)
    entries = HistoryEntry.objects.count()
    told = []
    for route in object_routes():
        if (values := values_of(route.pattern, world)) is None:
            continue  # the test above says so
        foreign = ask(client, method, route.path(**values))
        nothing = ask(client, method, route.path(**random_values(route)))
        if shape(foreign) != shape(nothing) or foreign.status_code not in (403, 404, 405):
            told.append(f"{route.pattern}: {shape(foreign)}, for nothing {shape(nothing)}")
        elif role == "owner" and foreign.status_code == 403 and is_served(route, method):
            told.append(f"{route.pattern}: 403 for somebody who may everything at home")
    assert not told, "\n".join(told)
    assert HistoryEntry.objects.count() == entries


def test_lists_show_nothing_of_another_organisation(world, outsider):
    client = outsider("owner")
    marks = [
        str(world.device.pk),
        world.device.serial,
        world.person.email,
        world.owner.email,
        str(world.invitation.pk),
        str(world.token.pk),
        world.tenant.name,
    ]
    leaks = []
    for route in routes():
        if route.parameters or route.pattern.startswith(NOT_LISTS):
            continue
        text = ask(client, "GET", route.path()).content.decode(errors="replace")
        leaks += [f"{route.pattern}: {mark}" for mark in marks if mark in text]
    assert not leaks, "\n".join(leaks)

"""S-01: what answers without credentials is listed with a reason, and nothing else answers."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from django.test import Client

from tests.architecture.routes import METHODS, routes

pytestmark = pytest.mark.embedded_only
LIST = Path(__file__).with_name("public_routes.txt")
REFUSALS = {401, 403, 404, 405}
SIGN_INS = ("/sign-in/", "/me/sign-in/")
MALFORMED = b'\x00{"broken": '


@cache
def listed():
    found = {}
    for line in LIST.read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            route, methods, reason = (part.strip() for part in line.split("|"))
            found[route] = (frozenset(methods.split()), reason)
    return found


def unlisted(method):
    return [route for route in routes() if method not in listed().get(route.pattern, ((), ""))[0]]


def is_refused(answer):
    if answer.status_code in REFUSALS:
        return True
    return answer.status_code == 302 and answer.headers["Location"].startswith(SIGN_INS)


def ask(method, route, body=b""):
    client = Client(raise_request_exception=False)
    is_page = not route.pattern.startswith(("api/", "client/", "mdm/"))
    kind = "application/x-www-form-urlencoded" if is_page else "application/json"
    return client.generic(method, route.path(tenant="acme"), body, content_type=kind)


@pytest.mark.django_db
@pytest.mark.parametrize("method", METHODS)
def test_nothing_unlisted_answers_without_credentials(method, tenant):
    open_routes = [
        f"{route.pattern} ({route.name}): {answer.status_code}"
        for route in unlisted(method)
        if not is_refused(answer := ask(method, route))
    ]
    assert not open_routes, "\n".join(open_routes)


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_credentials_are_asked_for_before_a_body_is_read(method, tenant):
    """A malformed body must not tell a stranger more than an empty one."""
    different = [
        f"{route.pattern}: {empty} with nothing, {broken} with a malformed body"
        for route in unlisted(method)
        if (empty := ask(method, route).status_code)
        != (broken := ask(method, route, MALFORMED).status_code)
    ]
    assert not different, "\n".join(different)


@pytest.mark.django_db
def test_listed_routes_answer_without_a_fault_of_ours(tenant):
    faults = [
        f"{method} {route.pattern}: {answer.status_code}"
        for route in routes()
        for method in sorted(listed().get(route.pattern, ((), ""))[0])
        if (answer := ask(method, route)).status_code >= 500 and route.name != "readyz"
    ]
    assert not faults, "\n".join(faults)


def test_the_list_names_only_what_exists_with_a_reason():
    patterns = {route.pattern for route in routes()}
    gone = sorted(set(listed()) - patterns)
    bare = sorted(route for route, (methods, reason) in listed().items() if len(reason) < 10)
    unknown = sorted(r for r, (methods, _) in listed().items() if not methods <= set(METHODS))
    assert (gone, bare, unknown) == ([], [], [])


def test_every_route_has_a_name():
    assert [route.pattern for route in routes() if not route.name] == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path",
    [
        "/admin/",
        "/django-admin/",
        "/debug/",
        "/__debug__/",
        "/silk/",
        "/flower/",
        "/.git/config",
        "/.env",
        "/static/../mdm/settings.py",
        "/static/%2e%2e/mdm/settings.py",
        "/mdm/apple/../../devices/",
        "/sign-in/..;/devices/",
    ],
)
def test_nothing_is_found_where_others_leave_doors(client, path):
    assert client.get(path).status_code in (302, 400, 403, 404)
    assert b"SECRET_KEY" not in client.get(path).content

"""Too much, too long, and nobody home: what the pages and the API do when they cannot serve."""

from __future__ import annotations

import json

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.test.client import FakePayload

from mdm.middleware import PAGE_BODY_LIMIT
from tests import factories
from tests.portal import confirm

pytestmark = pytest.mark.django_db
PAGES = ["/sign-in/", "/account/password/reset/", "/go", "/language/", "/nowhere", "/devices/"]


class Unread(FakePayload):
    """A body that fails the test when somebody reads it."""

    def read(self, size: int = -1) -> bytes:
        raise AssertionError("the body was read")

    def __bool__(self) -> bool:
        return True


def send(client, path, *, size, kind="application/x-www-form-urlencoded"):
    meta = {"CONTENT_LENGTH": str(size), "wsgi.input": Unread(), "CONTENT_TYPE": kind}
    return client.generic("POST", path, **meta)


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("kind", ["multipart/form-data; boundary=x", "text/plain"])
def test_a_body_that_no_page_needs_is_refused_unread(client, tenant, path, kind):
    answer = send(client, path, size=PAGE_BODY_LIMIT + 1, kind=kind)
    assert answer.status_code == 413
    assert "Content-Security-Policy" in answer.headers


def test_the_api_says_so_in_its_own_words(client, tenant):
    answer = send(client, "/api/v1/devices", size=PAGE_BODY_LIMIT + 1, kind="application/json")
    assert answer.status_code == 413
    assert json.loads(answer.content)["error"]["code"] == "body_too_large"


@pytest.mark.parametrize("length", ["-1", "1e9", "٣", "0x10", "9" * 400])
def test_a_length_that_is_none_is_no_fault_of_ours(client, tenant, length):
    answer = client.post("/sign-in/", CONTENT_LENGTH=length)
    assert answer.status_code in (200, 400, 403, 413)


def test_more_fields_than_any_form_has_are_refused(client, tenant):
    answer = client.post("/sign-in/", {f"field{number}": "" for number in range(1000)})
    assert answer.status_code == 400


@pytest.fixture
def no_database():
    def refuse(execute, sql, params, many, context):
        raise OperationalError("the database is away")

    return connection.execute_wrapper(refuse)


@pytest.fixture
def quiet():
    return Client(raise_request_exception=False)


@pytest.mark.parametrize("path", ["/sign-in/", "/go", "/go/abcdefgh", "/enroll/abc/profile"])
def test_without_a_database_people_get_a_page_that_says_so(quiet, tenant, no_database, path):
    with no_database:
        answer = (
            quiet.get(path)
            if path != "/sign-in/"
            else quiet.post(path, {"login": "a@b.c", "password": "x"})
        )
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert b"Traceback" not in answer.content
    assert b"the database is away" not in answer.content


def test_without_a_database_nobody_is_signed_out(quiet, owner, settings, no_database):
    settings.MUSTER_REQUIRE_ADMIN_MFA = False
    quiet.force_login(owner, backend="accounts.backends.PortalBackend")
    confirm(quiet)
    with no_database:
        answer = quiet.get("/devices/")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert not answer.cookies
    assert quiet.get("/devices/").status_code == 200


@pytest.fixture
def api(owner):
    _row, token = factories.token(owner)
    return Client(raise_request_exception=False, headers={"authorization": f"Bearer {token}"})


def test_without_a_database_the_api_answers_in_its_own_words(api, no_database):
    with no_database:
        answer = api.get("/api/v1/devices/")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert answer.json()["error"]["code"] == "unavailable"


@pytest.mark.parametrize("size", ["201", "0", "-1", "1e3", "000000001999999999", "1" * 5000, "٣"])
def test_no_page_of_the_api_is_larger_than_the_largest(api, device, size):
    assert api.get("/api/v1/devices/", {"page_size": size}).status_code == 400


BODIES = {
    "nested": b"[" * 100_000,
    "a long number": b'{"reason": ' + b"9" * 5000 + b"}",
    "no text": b'{"reason": "\xff\xfe"}',
    "half a sign": b'{"reason": "\\ud800"}',
    "a zero byte": b'{"reason": "\\u0000"}',
    "not a number": b'{"reason": NaN}',
    "a list": b"[]",
    "nothing": b"null",
    "cut off": b'{"reason": "',
    "a key twice": b'{"reason": [], "reason": {}}',
}


@pytest.mark.parametrize("kind", BODIES)
def test_a_body_that_is_no_call_is_the_callers_fault(api, device, kind):
    for path in (f"/api/v1/devices/{device.pk}/retire/", "/api/v1/invitations/", "/api/v1/users/"):
        answer = api.post(path, BODIES[kind], content_type="application/json")
        assert answer.status_code == 400, path
        assert answer.json()["error"]["code"] == "invalid"


@pytest.mark.parametrize(
    "path",
    [
        "/mdm/apple/checkin",
        "/mdm/apple/scep/acme?operation=GetCACaps",
        "/mdm/apple/scep/acme?operation=nothing",
        "/mdm/nowhere",
        "/static/nowhere.css",
        "/nowhere",
    ],
)
def test_no_cache_keeps_what_is_not_a_file(client, tenant, path):
    assert "no-store" in client.get(path).headers["Cache-Control"]


@pytest.mark.parametrize("tail", ["/", "//", "/.", "/..", ";x", "%00", "%2f", "/../checkin"])
@pytest.mark.parametrize(
    "path", ["/mdm/apple/checkin", "/mdm/apple/connect", "/mdm/apple/scep/acme"]
)
def test_an_address_of_devices_never_leads_elsewhere(client, tenant, path, tail):
    for method in ("GET", "HEAD", "OPTIONS", "POST", "PUT"):
        answer = client.generic(method, path + tail)
        assert answer.status_code in (403, 404, 405)
        assert "Location" not in answer.headers
        assert not answer.cookies

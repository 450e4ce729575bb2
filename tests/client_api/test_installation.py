"""What an app tells of its phone, its push token, the document of the API, its limits."""

from __future__ import annotations

import json

import pytest

from core.models import HistoryEntry
from enrollment.api import client_views
from enrollment.models import ClientInstallation
from enrollment.services import push_addresses
from tests import factories

pytestmark = pytest.mark.django_db
APNS_TOKEN = "0f" * 32


def test_facts_are_claims_that_can_change(signed_in_app):
    told = signed_in_app.call("PATCH", "installation/", {"device": {"os_version": "18.7"}})
    assert told["device"]["os_version"] == "18.7"
    assert told["device"]["model"] == "iPhone16,1"


def test_a_push_token_is_sealed_and_moves_with_the_phone(signed_in_app, app, tenant):
    push = {"push": {"kind": "apns", "token": APNS_TOKEN.upper()}}
    assert signed_in_app.call("PATCH", "installation/", push)["push_kind"] == "apns"
    row = ClientInstallation.objects.get()
    assert APNS_TOKEN.encode() not in bytes(row.sealed_push_token)
    assert push_addresses.open_app_token(row) == APNS_TOKEN
    other = app()
    other.sign_in(factories.user(tenant).email)
    other.call("PATCH", "installation/", push)
    row.refresh_from_db()
    assert (row.push_kind, bytes(row.sealed_push_token)) == ("", b"")


def test_null_forgets_the_push_token(signed_in_app):
    signed_in_app.call("PATCH", "installation/", {"push": {"kind": "apns", "token": APNS_TOKEN}})
    assert signed_in_app.call("PATCH", "installation/", {"push": None})["push_kind"] == ""


@pytest.mark.parametrize(
    "body",
    [
        {"push": {"kind": "apns", "token": "not hexadecimal"}},
        {"push": {"kind": "smoke", "token": APNS_TOKEN}},
        {"push": {"kind": "fcm", "token": "x" * 2000}},
        {"push": {"kind": "apns"}},
        {"device": {"model": "x" * 81}},
        {"device": {"os_version": "eighteen"}},
        {"person": "somebody else"},
    ],
)
def test_what_cannot_be_is_refused(signed_in_app, body):
    signed_in_app.call("PATCH", "installation/", body)
    assert signed_in_app.status == 400


def test_signing_out_forgets_where_to_push(signed_in_app):
    signed_in_app.call("PATCH", "installation/", {"push": {"kind": "apns", "token": APNS_TOKEN}})
    signed_in_app.call("DELETE", "installation/")
    row = ClientInstallation.objects.get()
    assert row.ended_at
    assert bytes(row.sealed_push_token) == b""
    assert HistoryEntry.objects.filter(action="enrollment.client.signed_out").exists()


def test_calls_are_limited(signed_in_app, app, monkeypatch):
    monkeypatch.setattr(client_views, "CALLS_PER_MINUTE", 3)
    for _call in range(4):
        signed_in_app.call("GET", "installation/")
    assert (signed_in_app.status, signed_in_app.code) == (429, "too_many_requests")
    monkeypatch.setattr(client_views, "OPEN_CALLS_PER_MINUTE", 1)
    stranger = app(ip="203.0.113.99")
    stranger.redeem("x")
    stranger.redeem("x")
    assert stranger.status == 429


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer x", "Basic eDp5", "Bearer mcl_wrong"])
def test_without_a_living_token_there_is_nothing(client, tenant, header):
    headers = {"Authorization": header} if header else {}
    for path in ("installation/", "enrollments/"):
        answer = client.generic("GET", f"/client/v1/{path}", headers=headers)
        assert answer.status_code in (401, 405), path
    assert client.post("/client/v1/enrollments/", headers=headers).status_code == 401


def document(client, path):
    headers = {"Accept": "application/vnd.oai.openapi+json"}
    return json.loads(client.get(path, headers=headers).content)


def test_the_document_names_this_api_only_and_the_other_does_not(client, owner, signed_in):
    signed_in(owner)
    theirs = document(client, "/client/v1/schema/")
    ours = document(client, "/api/schema/")
    assert theirs["info"]["title"] == "Muster client API"
    assert {path.split("/")[1] for path in theirs["paths"]} == {"client"}
    assert {path.split("/")[1] for path in ours["paths"]} == {"api"}
    assert "/client/v1/enrollments/{id}/cancel/" in theirs["paths"]

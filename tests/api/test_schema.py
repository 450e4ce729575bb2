"""The OpenAPI document and its page."""

from __future__ import annotations

import io
import re

import pytest
import yaml
from django.core.management import call_command

from tests.architecture.routes import routes

PREFIX = "api/v1/"


@pytest.fixture(scope="module")
def document():
    out, complaints = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stderr", complaints)
        call_command("spectacular", validate=True, fail_on_warn=True, stdout=out)
    assert "Warning" not in complaints.getvalue()
    assert "Error" not in complaints.getvalue()
    return yaml.safe_load(out.getvalue())


def test_every_route_is_described(document):
    described = {re.sub(r"\{\w+\}", "", path).strip("/") for path in document["paths"]}
    existing = {
        re.sub(r"<\w+:\w+>", "", route.pattern).strip("/")
        for route in routes()
        if route.pattern.startswith(PREFIX)
    }
    assert {path.strip("/") for path in described} == existing


def test_every_operation_has_a_name_a_token_and_the_refusal(document):
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(names) == len(set(names))
    refusal = {"$ref": "#/components/schemas/Error"}
    for operation in operations:
        assert operation["security"] == [{"token": []}]
        content = operation["responses"]["default"]["content"]["application/json"]
        assert content["schema"] == refusal


def test_orders_offer_the_idempotency_key(document):
    for path in ("invitations/", "devices/{id}/wipe/", "devices/{id}/lock/", "users/"):
        parameters = document["paths"][f"/{PREFIX}{path}"]["post"]["parameters"]
        assert "Idempotency-Key" in [one["name"] for one in parameters]


def test_sorts_are_an_allow_list(document):
    parameters = document["paths"][f"/{PREFIX}devices/"]["get"]["parameters"]
    sort = next(one for one in parameters if one["name"] == "sort")
    assert "-name" in sort["schema"]["enum"]


@pytest.mark.parametrize("path", ["/api/schema/", "/api/docs/", "/api/docs/?script="])
@pytest.mark.django_db
def test_document_and_page_are_for_those_who_are_signed_in(client, path, tenant):
    assert client.get(path).status_code in (401, 403)


@pytest.mark.django_db
def test_a_program_and_a_person_get_the_document(api, signed_in, auditor):
    assert api.get("/api/schema/").status_code == 200
    assert signed_in(auditor).get("/api/schema/").status_code == 200


@pytest.mark.django_db
def test_the_page_keeps_to_our_policy(signed_in, auditor):
    client = signed_in(auditor)
    page = client.get("/api/docs/")
    text = page.content.decode()
    assert page.status_code == 200
    assert "<style" not in text
    assert "<script>" not in text
    assert " style=" not in text
    assert "http://" not in text
    assert "https://" not in text
    assert page["Cross-Origin-Opener-Policy"] == "same-origin"
    script = client.get("/api/docs/?script=")
    assert script["Content-Type"].startswith("application/javascript")


@pytest.mark.django_db
def test_an_unknown_route_of_the_api_is_refused_in_json(api):
    answer = api.get("nothing/")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


@pytest.mark.django_db
def test_a_fault_of_ours_is_told_in_json_without_its_trace(api, monkeypatch):
    from devices.api.views import DeviceViewSet

    def break_down(self, *args, **kwargs):
        raise RuntimeError("the trace that nobody may see")

    monkeypatch.setattr(DeviceViewSet, "list", break_down)
    answer = api.get("devices/")
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "fault")
    assert "trace" not in answer.content.decode()

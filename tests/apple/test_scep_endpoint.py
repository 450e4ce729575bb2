"""What the SCEP endpoint reads and refuses before any certificate is thought of."""

from __future__ import annotations

import base64
from urllib.parse import quote

import pytest
from cryptography import x509
from django.db import OperationalError

from apple.services import scep as service
from core.models import HistoryEntry, KeyPurpose
from core.services import keys
from devices.models import Identity
from tests.apple.enrolling import give_profile, open_session

pytestmark = pytest.mark.django_db


def test_the_capabilities_are_plain_lines(scep):
    response = scep.http.get(scep.url, {"operation": "GetCACaps", "message": ""})
    assert response["Content-Type"] == "text/plain"
    assert "POSTPKIOperation" in response.content.decode().splitlines()


def test_the_ca_certificate_is_der(scep):
    response = scep.http.get(scep.url, {"operation": "GetCACert", "message": "My CA"})
    assert response["Content-Type"] == "application/x-x509-ca-cert"
    assert x509.load_der_x509_certificate(response.content) == scep.ca


def test_two_tenants_have_two_authorities(scep, other_scep):
    assert scep.ca != other_scep.ca
    assert scep.ca.subject != other_scep.ca.subject


def test_an_unknown_tenant_is_not_found(scep):
    assert scep.http.get("/mdm/apple/scep/nobody?operation=GetCACaps").status_code == 404


@pytest.mark.parametrize(
    "query", ["", "?operation=", "?operation=GetNextCACert", "?operation=%00", "?x=y"]
)
def test_an_unknown_operation_is_400(scep, query):
    assert scep.http.get(scep.url + query).status_code == 400
    assert scep.http.post(scep.url + query, b"", content_type="").status_code == 400


@pytest.mark.parametrize("method", ["put", "patch", "delete", "options", "head"])
def test_other_methods_are_refused(scep, method):
    response = getattr(scep.http, method)(f"{scep.url}?operation=PKIOperation")
    assert response.status_code == 405


@pytest.mark.parametrize("body", [b"", b"\x30\x00", b"{}", b"\x30\x80" * 500, b"a" * 60_000])
def test_what_cannot_be_read_is_400(scep, body):
    assert scep.post(body).status_code == 400
    message = quote(base64.b64encode(body[:3000]))
    query = f"?operation=PKIOperation&message={message}"
    assert scep.http.get(scep.url + query).status_code == 400


def test_a_message_that_is_no_base64_is_400(scep):
    assert scep.http.get(f"{scep.url}?operation=PKIOperation&message=%ff%00").status_code == 400


def test_a_body_over_the_limit_is_413(scep):
    assert scep.post(b"\x30" * (64 * 1024 + 1)).status_code == 413


def test_a_body_that_lies_about_its_length_is_413_before_it_is_read(scep):
    response = scep.post(b"", CONTENT_LENGTH=str(10**9))
    assert response.status_code == 413


def test_a_compressed_body_is_415(scep):
    response = scep.post(b"x", HTTP_CONTENT_ENCODING="gzip")
    assert response.status_code == 415


@pytest.mark.parametrize("content_type", ["application/octet-stream", "", "text/html"])
def test_the_content_type_of_a_request_does_not_matter(scep, person, content_type):
    _, challenge = give_profile(open_session(scep.tenant, person))
    client = scep.client(challenge)
    response = scep.post(client.request(), content_type=content_type)
    assert client.read(response.content).status == "0"


@pytest.mark.parametrize("escape", [lambda text: text, quote, lambda text: quote(text, safe="")])
def test_a_get_works_however_it_escapes_its_base64(scep, person, escape):
    _, challenge = give_profile(open_session(scep.tenant, person))
    client = scep.client(challenge)
    text = base64.b64encode(client.request()).decode()
    assert "+" in text
    response = scep.http.generic(
        "GET", scep.url, QUERY_STRING=f"operation=PKIOperation&message={escape(text)}"
    )
    assert client.read(response.content).status == "0"


def test_a_post_may_repeat_its_message_in_the_query(scep, person):
    _, challenge = give_profile(open_session(scep.tenant, person))
    client = scep.client(challenge)
    message = client.request()
    query = f"operation=PKIOperation&message={base64.urlsafe_b64encode(message).decode()}"
    response = scep.http.generic("POST", f"{scep.url}?{query}", data=message)
    assert client.read(response.content).status == "0"


def test_the_answers_set_no_cookie_and_redirect_nowhere(scep):
    response = scep.http.get(f"{scep.url}?operation=GetCACaps")
    assert response.status_code == 200
    assert not response.cookies
    assert scep.http.get(f"{scep.url}/?operation=GetCACaps").status_code == 404


def test_trouble_with_the_database_is_503_and_never_401(scep, monkeypatch):
    def fail(**_):
        raise OperationalError("database is down")

    monkeypatch.setattr(service, "answer", fail)
    response = scep.post(b"\x30\x00")
    assert response.status_code == 503
    assert int(response["Retry-After"]) > 0


def test_a_tenant_without_an_authority_is_our_fault(other_tenant, client):
    response = client.get(f"/mdm/apple/scep/{other_tenant.slug}?operation=GetCACert")
    assert response.status_code == 503


def test_nothing_is_written_for_what_is_refused(scep):
    before = HistoryEntry.objects.count()
    scep.enroll("no such challenge")
    scep.post(b"nonsense")
    assert not Identity.objects.exists()
    assert HistoryEntry.objects.count() == before


def test_the_challenge_is_never_logged(scep, person, caplog):
    _, challenge = give_profile(open_session(scep.tenant, person))
    with caplog.at_level("DEBUG"):
        scep.enroll(challenge)
        scep.enroll(challenge, transaction_id="again")
        scep.enroll("a wrong one")
    assert challenge not in caplog.text
    assert "a wrong one" not in caplog.text


def test_a_new_authority_answers_while_the_old_one_is_still_accepted(scep, person):
    from core.actors import Actor

    old_client = scep.client(give_profile(open_session(scep.tenant, person))[1])
    keys.rotate(tenant=scep.tenant, purpose=KeyPurpose.DEVICE_CA, actor=Actor.system())
    response = scep.http.get(f"{scep.url}?operation=GetCACert")
    newer = x509.load_der_x509_certificate(response.content)
    assert newer != scep.ca
    reply = scep.ask(old_client)
    assert reply.certificates[1] == scep.ca
    scep.ca = newer
    reply = scep.enroll(give_profile(open_session(scep.tenant, person))[1])
    assert reply.certificates[1] == newer


def test_a_retired_authority_is_not_accepted(scep, person):
    from core.actors import Actor
    from core.models import StoredKey

    client = scep.client(give_profile(open_session(scep.tenant, person))[1])
    keys.rotate(tenant=scep.tenant, purpose=KeyPurpose.DEVICE_CA, actor=Actor.system())
    old = StoredKey.objects.filter(tenant=scep.tenant, purpose="device_ca").order_by("created_at")
    keys.retire(row=old[0], actor=Actor.system())
    response = scep.post(client.request())
    assert response.status_code == 200
    assert not Identity.objects.exists()

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from apple.services import push_certificate, push_health, push_store
from core.models import StoredKey
from tests.api.conftest import code_of, fields_of
from tests.apple.push_world import OTHER_TOPIC, TOPIC, channel, install, issued

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def cheap_key(authority, monkeypatch):
    key = issued(authority, "com.apple.mgmt.spare").key
    monkeypatch.setattr(push_certificate.pki_keys, "generate_rsa", lambda bits: key)
    return key


def answered(authority, csr, topic=TOPIC):
    made = authority.sign_push_request(x509.load_pem_x509_csr(csr.encode()), topic)
    return made.public_bytes(serialization.Encoding.PEM).decode()


def test_the_whole_way(api, authority, tenant):
    assert api.get("push/").json()["state"] == "none"
    made = api.post("push/requests/")
    assert made.status_code == 201
    assert made.json()["portal_file"] is None
    assert api.get("push/").json()["request"] == made.json()["id"]
    assert [row["id"] for row in api.get("push/requests/").json()] == [made.json()["id"]]
    content = answered(authority, made.json()["csr"])
    status = api.post("push/certificate/", {"certificate": content}).json()
    assert (status["state"], status["topic"], status["request"]) == ("valid", TOPIC, None)
    assert status["sha256"] == push_store.certificates(tenant.pk)[0].sha256


def test_no_key_leaves(api, authority, tenant, cheap_key):
    made = api.post("push/requests/")
    status = api.get("push/")
    for text in (made.content.decode(), status.content.decode()):
        assert "PRIVATE" not in text
        assert "sealed" not in text


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({}, "invalid", "certificate"),
        ({"certificate": ""}, "invalid", "certificate"),
        ({"certificate": "hello"}, "push_certificate_unusable", "certificate"),
        ({"certificate": "A" * 70_000}, "invalid", "certificate"),
        ({"certificate": "x", "key": "mine"}, "invalid", "key"),
    ],
)
def test_rubbish_is_refused(api, body, code, field):
    answer = api.post("push/certificate/", body)
    assert (answer.status_code, code_of(answer)) == (400, code)
    assert list(fields_of(answer)) == [field]


def test_another_topic_takes_the_name(api, authority, tenant):
    install(tenant, issued(authority))
    channel(tenant, 1)
    content = answered(authority, api.post("push/requests/").json()["csr"], OTHER_TOPIC)
    refused = api.post("push/certificate/", {"certificate": content})
    assert (refused.status_code, code_of(refused)) == (409, "topic_change")
    assert list(fields_of(refused)) == ["confirmation"]
    taken = api.post("push/certificate/", {"certificate": content, "confirmation": tenant.name})
    assert taken.json()["topic"] == OTHER_TOPIC


def test_a_pause_is_told_and_ended(api, authority, tenant):
    row = install(tenant, issued(authority))
    push_health.pause(row_id=row.pk, status=403, reason="Forbidden")
    status = api.get("push/").json()
    assert (status["state"], status["paused_reason"]) == ("paused", "Forbidden")
    assert api.post("push/resume/").json()["state"] == "valid"


def test_looking_is_not_changing(caller, auditor):
    program = caller(auditor)
    assert program.get("push/").status_code == 200
    for path in ("push/requests/", "push/certificate/", "push/resume/"):
        assert program.post(path).status_code == 403
    assert program.get("push/requests/").status_code == 403


def test_organisations_are_apart(api, foreign_api, authority, tenant):
    install(tenant, issued(authority))
    assert foreign_api.get("push/").json()["state"] == "none"
    csr = api.post("push/requests/").json()["csr"]
    stolen = foreign_api.post("push/certificate/", {"certificate": answered(authority, csr)})
    assert code_of(stolen) == "push_key_mismatch"


def test_asking_is_safe_to_repeat(api, tenant):
    key = {"Idempotency-Key": "csr"}
    first, again = api.post("push/requests/", **key), api.post("push/requests/", **key)
    assert first.json() == again.json()
    assert StoredKey.objects.count() == 1

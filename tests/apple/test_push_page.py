from __future__ import annotations

import datetime as dt

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from django.core.files.uploadedfile import SimpleUploadedFile

from apple.services import push_certificate, push_health, push_store
from apple.words import notice
from core import clock
from core.models import HistoryEntry, StoredKey
from tests.apple.push_world import OTHER_TOPIC, TOPIC, channel, install, issued
from tests.portal import confirm, path, text

pytestmark = pytest.mark.django_db


@pytest.fixture
def request_row(tenant, admin, authority, monkeypatch):
    key = issued(authority, "com.apple.mgmt.spare").key
    monkeypatch.setattr(push_certificate.pki_keys, "generate_rsa", lambda bits: key)
    return push_certificate.request(tenant=tenant, actor=admin.actor)


def recent(client):
    confirm(client)
    return client


def answered(authority, row, topic=TOPIC):
    csr = x509.load_pem_x509_csr(row.data["csr"].encode())
    made = authority.sign_push_request(csr, topic)
    return made.public_bytes(serialization.Encoding.PEM)


def as_file(content):
    return SimpleUploadedFile("MDM_ Muster_Certificate.pem", content)


@pytest.mark.parametrize(
    ("role", "may_look", "may_change"),
    [("admin", True, True), ("auditor", True, False), ("helpdesk", False, False)],
)
def test_who_may_look_and_who_may_change(signed_in, request, role, may_look, may_change):
    client = signed_in(request.getfixturevalue(role))
    page = client.get(path("settings-push"))
    assert (page.status_code == 200) is may_look
    if may_look:
        assert (path("settings-push-request") in text(page)) is may_change
    refused = client.post(path("settings-push-resume"))
    assert (refused.status_code == 403) is not may_change


def test_a_request_is_made_and_downloaded(signed_in, admin, tenant):
    client = signed_in(admin)
    page = client.post(path("settings-push-request"), follow=True)
    assert "The signing request is out" in text(page)
    [row] = push_store.open_requests(tenant.pk)
    answer = client.get(path("settings-push-request-file", row.pk, "csr"))
    assert answer["Content-Disposition"] == 'attachment; filename="push-request.csr"'
    assert x509.load_pem_x509_csr(answer.content).is_signature_valid
    assert HistoryEntry.objects.get(action="apple.push_request.created").actor_id == str(admin.pk)


def test_requests_are_limited(signed_in, admin, request_row, tenant):
    client = signed_in(admin)
    for _ in range(11):
        page = client.post(path("settings-push-request"), follow=True)
    assert "wait an hour" in text(page)


def test_the_request_of_another_organisation_does_not_exist(signed_in, stranger, request_row):
    answer = signed_in(stranger).get(path("settings-push-request-file", request_row.pk, "csr"))
    assert answer.status_code == 404


def test_an_unknown_kind_of_file_does_not_exist(signed_in, admin, request_row):
    answer = signed_in(admin).get(path("settings-push-request-file", request_row.pk, "key"))
    assert answer.status_code == 404


def test_without_a_vendor_certificate_the_page_says_what_to_do(signed_in, admin, request_row):
    client = signed_in(admin)
    assert "mdmcert.download" in text(client.get(path("settings-push")))
    url = path("settings-push-request-file", request_row.pk, "apple")
    assert "No vendor certificate is configured" in text(client.get(url, follow=True))


def test_the_upload_asks_for_recent_authentication(signed_in, admin):
    client = signed_in(admin)
    answer = client.get(path("settings-push-upload"))
    assert answer.status_code == 302
    assert path("account_reauthenticate") in answer["Location"]


def test_a_file_is_installed(signed_in, admin, authority, request_row, tenant):
    client = recent(signed_in(admin))
    content = answered(authority, request_row)
    page = client.post(path("settings-push-upload"), {"certificate": as_file(content)}, follow=True)
    assert "The push certificate is installed." in text(page)
    assert TOPIC in text(page)
    assert push_certificate.topic_for(tenant) == TOPIC


def test_pasted_text_is_installed(signed_in, admin, authority, request_row, tenant):
    client = recent(signed_in(admin))
    pasted = f"\n  {answered(authority, request_row).decode()}\n"
    client.post(path("settings-push-upload"), {"text": pasted})
    assert push_certificate.topic_for(tenant) == TOPIC


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({}, "Choose the certificate file"),
        ({"text": "hello"}, "This file is not a certificate."),
        ({"text": "A" * 70_000}, "65536"),
        ({"certificate": as_file(b"A" * 70_000)}, "too large"),
    ],
)
def test_rubbish_is_refused_in_words(signed_in, admin, request_row, tenant, data, words):
    answer = recent(signed_in(admin)).post(path("settings-push-upload"), data)
    assert answer.status_code == 422
    assert words in text(answer)
    assert push_store.certificates(tenant.pk) == []


def test_another_topic_takes_the_typed_name(signed_in, admin, authority, request_row, tenant):
    client = recent(signed_in(admin))
    install(tenant, issued(authority))
    channel(tenant, 1)
    content = answered(authority, request_row, OTHER_TOPIC)
    url = path("settings-push-upload")
    refused = client.post(url, {"certificate": as_file(content)})
    assert refused.status_code == 422
    assert "1 device would have to enroll again" in text(refused)
    assert 'name="confirmation" value=""' not in text(refused)
    assert refused.context["form"].fields["confirmation"].widget.input_type == "text"
    # The browser forgets the file; the page has it as text.
    kept = refused.context["form"]["text"].value()
    assert kept.strip() == content.decode().strip()
    client.post(url, {"text": kept, "confirmation": tenant.name})
    assert push_certificate.topic_for(tenant) == OTHER_TOPIC
    page = text(client.get(path("settings-push")))
    assert TOPIC in page
    assert OTHER_TOPIC in page


def test_trying_again_ends_a_pause(signed_in, admin, authority, tenant):
    row = install(tenant, issued(authority))
    waiting = channel(tenant, 1, push_due_at=clock.now() + dt.timedelta(hours=1))
    push_health.pause(row_id=row.pk, status=403, reason="Forbidden")
    client = signed_in(admin)
    assert "Push is stopped" in text(client.get(path("settings-push")))
    page = client.post(path("settings-push-resume"), follow=True)
    assert "Push is ready" in text(page)
    waiting.refresh_from_db()
    assert waiting.push_due_at <= clock.now()
    entry = HistoryEntry.objects.get(action="apple.push.resumed")
    assert entry.actor_id == str(admin.pk)


def test_trying_again_without_a_pause_changes_nothing(signed_in, admin, tenant):
    assert signed_in(admin).post(path("settings-push-resume")).status_code == 302
    assert not HistoryEntry.objects.filter(action="apple.push.resumed").exists()


def states(tenant, authority):
    """Bring the tenant into each state in turn."""
    yield "none"
    push_certificate.request(tenant=tenant, actor=tenant_actor())
    yield "requested"
    StoredKey.objects.all().delete()
    push_certificate.install_practice(tenant=tenant)
    yield "practice"
    row = install(tenant, issued(authority))
    yield "valid"
    StoredKey.objects.filter(pk=row.pk).update(not_after=clock.now() + dt.timedelta(days=5))
    yield "expiring"
    push_health.pause(row_id=row.pk, status=403, reason="Forbidden")
    yield "paused"
    StoredKey.objects.filter(pk=row.pk).update(not_after=clock.now() - dt.timedelta(days=5))
    yield "expired"


def tenant_actor():
    from core.actors import Actor

    return Actor.system("tests")


def test_every_state_has_its_page_in_both_languages(signed_in, admin, tenant, authority):
    client, titles = signed_in(admin), set()
    for state in states(tenant, authority):
        status = push_certificate.status(tenant)
        assert status.state == state
        page = client.get(path("settings-push"), headers={"Accept-Language": "fr"})
        assert page.status_code == 200
        titles.add(notice(status).title)
    assert len(titles) == 7


@pytest.mark.parametrize("reason", ["timeout", "connection", "server_untrusted", "odd"])
def test_trouble_on_the_way_is_told(signed_in, admin, tenant, authority, reason):
    install(tenant, issued(authority), trouble={"reason": reason, "since": clock.now().isoformat()})
    page = text(signed_in(admin).get(path("settings-push")))
    assert "did not get through" in page


def test_a_topic_from_outside_is_text(signed_in, admin, tenant, authority):
    row = install(tenant, issued(authority))
    StoredKey.objects.filter(pk=row.pk).update(
        data=row.data | {"topic": "<svg onload=alert(1)>", "paused": {"reason": "<b>x</b>"}}
    )
    page = text(signed_in(admin).get(path("settings-push")))
    assert "<svg onload" not in page
    assert "<b>x</b>" not in page

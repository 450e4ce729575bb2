"""From the signing request to the installed certificate, with certificates that openssl made."""

from __future__ import annotations

import base64
import datetime as dt
import plistlib
import subprocess
from functools import cache

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.core.exceptions import ImproperlyConfigured

from apple.errors import (
    PushCertificateKnown,
    PushCertificateUnusable,
    PushKeyMismatch,
    PushNotConfigured,
    TopicChange,
)
from apple.payloads import push_request
from apple.protocol import push_certificate as files
from apple.services import push_alerts, push_certificate, push_store, push_vendor
from core import clock
from core.models import HistoryEntry, OutboxMessage, StoredKey
from core.services import mail
from tests.apple.push_world import OTHER_TOPIC, TOPIC, channel, install, issued
from tests.fakes.certificates import Issued

pytestmark = pytest.mark.django_db


@cache
def some_key():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(autouse=True)
def cheap_keys(monkeypatch):
    """Signing requests share one slow key; a test that needs two keys asks for another one."""
    monkeypatch.setattr(push_certificate.pki_keys, "generate_rsa", lambda bits: some_key())


def request(tenant, actor):
    return push_certificate.request(tenant=tenant, actor=actor.actor)


def answer(authority, row, topic=TOPIC, **kwargs) -> bytes:
    """What Apple's portal would make of the request."""
    csr = x509.load_pem_x509_csr(row.data["csr"].encode())
    made = authority.sign_push_request(csr, topic, **kwargs)
    return made.public_bytes(serialization.Encoding.PEM)


def upload(tenant, actor, content, **kwargs):
    return push_certificate.upload(tenant=tenant, content=content, actor=actor.actor, **kwargs)


def history_of(tenant):
    return list(
        HistoryEntry.objects.filter(tenant=tenant, action__startswith="apple.push")
        .order_by("id")
        .values_list("action", flat=True)
    )


def test_the_way_from_nothing_to_a_valid_certificate(tenant, admin, authority):
    assert push_certificate.status(tenant).state == "none"
    with pytest.raises(PushNotConfigured):
        push_certificate.topic_for(tenant)
    row = request(tenant, admin)
    assert push_certificate.status(tenant).state == "requested"
    installed = upload(tenant, admin, answer(authority, row))
    status = push_certificate.status(tenant)
    assert (status.state, status.topic, status.request) == ("valid", TOPIC, None)
    assert status.row == installed
    assert 360 <= status.days_left <= 366
    assert push_certificate.topic_for(tenant) == TOPIC
    assert history_of(tenant) == ["apple.push_request.created", "apple.push_certificate.installed"]


def test_the_key_is_sealed_and_opens_for_the_gateway(tenant, admin, authority):
    row = request(tenant, admin)
    plain = some_key().private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    assert plain not in bytes(row.sealed_key)
    installed = upload(tenant, admin, answer(authority, row))
    opened = push_store.credentials_of(installed)
    assert opened.key.private_numbers() == some_key().private_numbers()
    assert opened.certificate.public_key() == some_key().public_key()


@pytest.mark.openssl
def test_openssl_reads_the_request_and_its_certificate_is_taken(tenant, admin, tmp_path):
    row = request(tenant, admin)
    (tmp_path / "request.pem").write_text(row.data["csr"])
    shown = openssl(tmp_path, "req", "-in", "request.pem", "-noout", "-verify", "-subject", "-text")
    assert "RSA" in shown or "rsaEncryption" in shown
    assert "2048 bit" in shown
    make_authority(tmp_path)
    signed = ["x509", "-req", "-in", "request.pem", "-CA", "ca.pem", "-CAkey", "ca.key"]
    options = ["-days", "365", "-set_serial", "5", "-subj", subject(TOPIC), "-out", "push.pem"]
    openssl(tmp_path, *signed, *options)
    installed = upload(tenant, admin, (tmp_path / "push.pem").read_bytes())
    assert installed.data["topic"] == TOPIC


@pytest.mark.openssl
def test_a_certificate_made_without_our_request_is_refused(tenant, admin, tmp_path):
    request(tenant, admin)
    make = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "other.key", "-days", "365"]
    openssl(tmp_path, *make, "-subj", subject(TOPIC), "-out", "other.pem")
    with pytest.raises(PushKeyMismatch):
        upload(tenant, admin, (tmp_path / "other.pem").read_bytes())
    assert push_certificate.status(tenant).state == "requested"


def subject(topic):
    return f"/UID={topic}/CN=APSP:test/C=US"


def make_authority(folder):
    make = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-days", "30"]
    openssl(folder, *make, "-subj", "/CN=Portal", "-out", "ca.pem")


def openssl(folder, *arguments):
    done = subprocess.run(
        ["openssl", *arguments], cwd=folder, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def code(tenant, admin, content):
    with pytest.raises(PushCertificateUnusable) as caught:
        upload(tenant, admin, content)
    assert caught.value.field == "certificate"
    return caught.value.reason


def test_an_expired_certificate_is_refused(tenant, admin, authority):
    row = request(tenant, admin)
    assert code(tenant, admin, answer(authority, row, is_expired=True)) == "expired"


def test_a_certificate_of_the_future_is_refused(tenant, admin, authority, monkeypatch):
    row = request(tenant, admin)
    content = answer(authority, row)
    monkeypatch.setattr(clock, "now", lambda: dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
    assert code(tenant, admin, content) == "not_yet_valid"


def test_the_request_itself_is_not_the_certificate(tenant, admin):
    row = request(tenant, admin)
    assert code(tenant, admin, row.data["csr"].encode()) == "is_request"


def test_a_certificate_for_something_else_has_no_topic(tenant, admin, authority):
    request(tenant, admin)
    assert code(tenant, admin, authority.server().certificate_pem) == "no_topic"


@pytest.mark.parametrize(
    "topic", ["com.apple.mgmt.", "com.example.mgmt.x", "com.apple.mgmt.x y", "com.apple.mgmt.é"]
)
def test_a_strange_topic_is_none(tenant, admin, authority, topic):
    row = request(tenant, admin)
    assert code(tenant, admin, answer(authority, row, topic)) == "no_topic"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello",
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        b"-----BEGIN CERTIFICATE-----",
        b"\x30\x82\xff\xff" + bytes(500),
        b"\x00" * 1000,
        b"<?xml version='1.0'?><plist/>",
    ],
)
def test_rubbish_is_refused_in_words(tenant, admin, content):
    request(tenant, admin)
    assert code(tenant, admin, content) == "unreadable"


def test_a_huge_file_is_refused_unread(tenant, admin):
    assert code(tenant, admin, b"A" * (files.MAX_FILE + 1)) == "too_large"


def test_der_and_a_chain_are_taken_too(tenant, admin, authority):
    row = request(tenant, admin)
    leaf = answer(authority, row)
    installed = upload(tenant, admin, authority.certificate_pem + leaf)
    assert len(installed.chain) == 1
    assert len(push_store.credentials_of(installed).chain) == 1
    row = request(tenant, admin)
    der = x509.load_pem_x509_certificate(answer(authority, row)).public_bytes(
        serialization.Encoding.DER
    )
    assert upload(tenant, admin, der).data["topic"] == TOPIC


def test_the_key_of_another_tenant_is_no_key_of_ours(
    tenant, admin, other_tenant, stranger, authority
):
    row = request(other_tenant, stranger)
    with pytest.raises(PushKeyMismatch):
        upload(tenant, admin, answer(authority, row))


def test_any_of_several_requests_can_be_answered(tenant, admin, authority, monkeypatch):
    first = request(tenant, admin)
    another = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    monkeypatch.setattr(push_certificate.pki_keys, "generate_rsa", lambda bits: another)
    request(tenant, admin)
    assert upload(tenant, admin, answer(authority, first)).data["topic"] == TOPIC
    assert push_certificate.status(tenant).request is None


def test_open_requests_are_few(tenant, admin):
    for _ in range(push_certificate.MAX_OPEN_REQUESTS + 3):
        request(tenant, admin)
    assert len(push_store.open_requests(tenant.pk)) == push_certificate.MAX_OPEN_REQUESTS


def test_a_renewal_replaces_its_predecessor(tenant, admin, authority):
    old = upload(tenant, admin, answer(authority, request(tenant, admin)))
    channel(tenant, 1)
    new = upload(tenant, admin, answer(authority, request(tenant, admin)))
    old.refresh_from_db()
    assert old.retired_at is not None
    assert push_store.certificates(tenant.pk) == [new]


def test_the_old_certificate_serves_until_the_new_one_is_there(tenant, admin, authority):
    old = upload(tenant, admin, answer(authority, request(tenant, admin)))
    request(tenant, admin)
    status = push_certificate.status(tenant)
    assert (status.row, status.state) == (old, "valid")
    assert status.request is not None


def test_the_same_file_twice_is_refused(tenant, admin, authority):
    content = answer(authority, request(tenant, admin))
    upload(tenant, admin, content)
    with pytest.raises(PushCertificateKnown):
        upload(tenant, admin, content)


def test_a_predecessor_does_not_come_back(tenant, admin, authority):
    content = answer(authority, request(tenant, admin))
    upload(tenant, admin, content)
    upload(tenant, admin, answer(authority, request(tenant, admin)))
    with pytest.raises(PushCertificateKnown):
        upload(tenant, admin, content)


@pytest.mark.parametrize("typed", ["", "yes", "ACME AEROSPACE", TOPIC])
def test_another_topic_is_refused_while_devices_listen(tenant, admin, authority, typed):
    upload(tenant, admin, answer(authority, request(tenant, admin)))
    channel(tenant, 1)
    channel(tenant, 2)
    content = answer(authority, request(tenant, admin), OTHER_TOPIC)
    with pytest.raises(TopicChange) as caught:
        upload(tenant, admin, content, confirmation=typed)
    assert caught.value.count == 2
    assert push_certificate.topic_for(tenant) == TOPIC


def test_another_topic_is_taken_with_the_typed_name_and_the_old_one_stays(tenant, admin, authority):
    old = upload(tenant, admin, answer(authority, request(tenant, admin)))
    channel(tenant, 1)
    content = answer(authority, request(tenant, admin), OTHER_TOPIC)
    new = upload(tenant, admin, content, confirmation=f" {tenant.name} ")
    assert push_certificate.topic_for(tenant) == OTHER_TOPIC
    assert push_store.certificates(tenant.pk) == [new, old]
    entry = HistoryEntry.objects.about(new).get()
    assert entry.data["devices_left_behind"] == 1


def test_another_topic_without_devices_needs_no_confirmation(
    tenant, admin, authority, other_tenant
):
    upload(tenant, admin, answer(authority, request(tenant, admin)))
    channel(other_tenant, 1)
    retired = channel(tenant, 2).device
    type(retired).objects.filter(pk=retired.pk).update(state="retired")
    content = answer(authority, request(tenant, admin), OTHER_TOPIC)
    assert upload(tenant, admin, content).data["topic"] == OTHER_TOPIC


def test_pushes_that_waited_for_a_certificate_go_out(tenant, admin, authority):
    row = channel(tenant, 1, push_due_at=clock.now() + dt.timedelta(hours=5), push_failures=3)
    upload(tenant, admin, answer(authority, request(tenant, admin)))
    row.refresh_from_db()
    assert row.push_due_at <= clock.now()
    assert row.push_failures == 0


def test_a_fresh_installation_gets_a_practice_certificate_once(tenant):
    row = push_certificate.install_practice(tenant=tenant)
    assert push_certificate.status(tenant).state == "practice"
    assert push_certificate.topic_for(tenant).startswith(files.PRACTICE_TOPIC)
    assert push_certificate.install_practice(tenant=tenant) is None
    assert push_store.certificates(tenant.pk) == [row]


def test_practice_topics_differ_between_tenants(tenant, other_tenant):
    for one in (tenant, other_tenant):
        push_certificate.install_practice(tenant=one)
    assert push_certificate.topic_for(tenant) != push_certificate.topic_for(other_tenant)


def test_a_real_certificate_goes_before_practice_without_a_word(tenant, admin, authority):
    practice = push_certificate.install_practice(tenant=tenant)
    channel(tenant, 1, topic=push_store.topic_of(practice))
    upload(tenant, admin, answer(authority, request(tenant, admin)))
    assert push_certificate.topic_for(tenant) == TOPIC
    assert push_certificate.status(tenant).state == "valid"


@pytest.mark.parametrize(
    ("days", "state"), [(90, "valid"), (59, "expiring"), (1, "expiring"), (-1, "expired")]
)
def test_the_state_follows_the_date(tenant, authority, days, state):
    install(tenant, issued(authority))
    StoredKey.objects.update(not_after=clock.now() + dt.timedelta(days=days, hours=1))
    assert push_certificate.status(tenant).state == state


def set_end(row, days):
    StoredKey.objects.filter(pk=row.pk).update(not_after=clock.now() + dt.timedelta(days=days))


def test_administrators_are_warned_once_per_threshold(tenant, owner, admin, helpdesk, authority):
    row = install(tenant, issued(authority))
    expected = 0
    passing = [(61, 0), (59, 1), (58, 0), (29, 1), (8, 0), (7, 1), (0.5, 1), (-1, 1), (-9, 0)]
    for days, fresh in passing:
        set_end(row, days)
        assert push_alerts.warn_of_expiry() == fresh
        expected += 2 * fresh
        assert OutboxMessage.objects.filter(kind=mail.KIND).count() == expected
    recipients = set(OutboxMessage.objects.values_list("recipient", flat=True))
    assert recipients == {owner.email, admin.email}


def test_a_server_that_was_off_warns_of_the_nearest_only(tenant, owner, authority):
    row = install(tenant, issued(authority))
    set_end(row, 5)
    assert push_alerts.warn_of_expiry() == 1
    assert push_alerts.warn_of_expiry() == 0
    assert OutboxMessage.objects.count() == 1


def test_a_renewal_starts_the_warnings_anew(tenant, owner, admin, authority):
    old = upload(tenant, admin, answer(authority, request(tenant, admin)))
    set_end(old, 5)
    push_alerts.warn_of_expiry()
    new = upload(tenant, admin, answer(authority, request(tenant, admin)))
    assert push_alerts.warn_of_expiry() == 0
    set_end(new, 50)
    assert push_alerts.warn_of_expiry() == 1


def test_nobody_is_warned_of_a_practice_certificate(tenant, owner):
    row = push_certificate.install_practice(tenant=tenant)
    set_end(row, 5)
    assert push_alerts.warn_of_expiry() == 0


# The file for Apple's portal


@pytest.fixture(scope="module")
def vendor(authority):
    return authority.push("com.apple.mgmt.vendor")


@pytest.fixture
def vendor_files(vendor, authority, tmp_path, settings):
    certificate, key = vendor.write(tmp_path, "vendor")
    certificate.write_bytes(vendor.certificate_pem + authority.certificate_pem)
    settings.MUSTER_PUSH_VENDOR_KEY_FILE = str(key)
    settings.MUSTER_PUSH_VENDOR_CERTIFICATE_FILE = str(certificate)
    push_vendor._read.cache_clear()
    return certificate, key


def test_the_countersigned_file_is_what_apple_describes(
    tenant, admin, vendor, vendor_files, authority
):
    row = request(tenant, admin)
    document = plistlib.loads(base64.b64decode(push_vendor.countersign(row)), fmt=plistlib.FMT_XML)
    assert set(document) == {
        "PushCertRequestCSR",
        "PushCertSignature",
        "PushCertCertificateChain",
    }
    request_der = base64.b64decode(document["PushCertRequestCSR"])
    assert x509.load_der_x509_csr(request_der) == x509.load_pem_x509_csr(row.data["csr"].encode())
    chain = x509.load_pem_x509_certificates(document["PushCertCertificateChain"].encode())
    assert chain == [vendor.certificate, authority.certificate]
    assert max(map(len, document["PushCertCertificateChain"].splitlines())) == 64


@pytest.mark.openssl
def test_openssl_verifies_the_vendors_signature(tenant, admin, vendor, vendor_files, tmp_path):
    row = request(tenant, admin)
    document = plistlib.loads(base64.b64decode(push_vendor.countersign(row)), fmt=plistlib.FMT_XML)
    (tmp_path / "csr.der").write_bytes(base64.b64decode(document["PushCertRequestCSR"]))
    (tmp_path / "signature").write_bytes(base64.b64decode(document["PushCertSignature"]))
    (tmp_path / "key.pem").write_text(
        openssl(tmp_path, "x509", "-in", "vendor.crt", "-noout", "-pubkey")
    )
    verify = ["dgst", "-sha256", "-verify", "key.pem", "-signature", "signature", "csr.der"]
    assert "Verified OK" in openssl(tmp_path, *verify)


def test_a_vendor_key_of_another_certificate_is_refused(tenant, admin, vendor):
    stranger = Issued(vendor.certificate, some_key())
    row = request(tenant, admin)
    with pytest.raises(push_request.VendorMismatch):
        push_request.build(
            row.data["csr"].encode(),
            vendor_key=stranger.key,
            vendor_chain=[stranger.certificate],
        )


@pytest.mark.parametrize("damage", ["absent", "empty", "swapped"])
def test_unusable_vendor_files_are_named(tenant, admin, vendor_files, damage, settings):
    certificate, key = vendor_files
    if damage == "absent":
        key.unlink()
    elif damage == "empty":
        certificate.write_bytes(b"")
    else:
        settings.MUSTER_PUSH_VENDOR_KEY_FILE = str(certificate)
    with pytest.raises(ImproperlyConfigured, match="MUSTER_PUSH_VENDOR"):
        push_vendor.countersign(request(tenant, admin))


def test_without_vendor_files_nothing_is_countersigned():
    assert not push_vendor.is_configured()

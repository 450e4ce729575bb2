from __future__ import annotations

import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from django.core.files.uploadedfile import SimpleUploadedFile

from core.models import HistoryEntry, StoredKey
from enrollment.errors import PushKeyRefused
from enrollment.services import push_addresses, push_keys, push_test
from tests.enrollment.push_world import (
    ACTOR,
    KEY_ID,
    TEAM_ID,
    TOPIC,
    account,
    app,
    developer_key,
    install_apns,
    install_fcm,
    p256,
    pem,
    rsa_key,
    service_account,
)
from tests.portal import confirm, path, text

pytestmark = pytest.mark.django_db
APPLE_FORM = {"key_id": KEY_ID, "team_id": TEAM_ID, "topic": TOPIC}


@pytest.fixture
def apple(apns, settings):
    settings.MUSTER_APNS_URL = apns.url
    settings.MUSTER_APNS_CA_FILE = str(apns.authority_path)
    apns.trust_key(developer_key())
    return apns


def upload(client, name, content, **fields):
    file = SimpleUploadedFile("AuthKey.p8", content)
    return client.post(path(name), {"file": file, **fields})


def recent(client):
    confirm(client)
    return client


def test_an_apple_key_is_kept_sealed_and_never_shown(signed_in, owner, tenant):
    client = recent(signed_in(owner))
    answer = upload(client, "settings-reminders-apple", pem(p256()), **APPLE_FORM)
    assert answer.status_code == 302
    row = push_keys.find(tenant.pk, "app_apns")
    assert pem(p256()) not in bytes(row.sealed_key)
    page = text(client.get(path("settings-reminders")))
    assert TOPIC in page
    assert "PRIVATE KEY" not in page


def test_a_service_account_loses_everything_that_pushing_does_not_need(tenant):
    row = install_fcm(tenant)
    assert set(row.data) == {"project_id", "client_email", "private_key_id", "public_key"}
    told = json.dumps(list(HistoryEntry.objects.values_list("data", flat=True)))
    assert "PRIVATE KEY" not in told


def test_a_new_key_takes_the_place_of_the_old_one_which_is_erased(tenant):
    old = install_apns(tenant)
    install_apns(tenant, content=pem(ec.generate_private_key(ec.SECP256R1())))
    old.refresh_from_db()
    assert old.retired_at is not None
    assert bytes(old.sealed_key) == b""
    assert StoredKey.objects.filter(purpose="app_apns").current().count() == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"content": b"no key"},
        {"content": b"x" * 20_000},
        {"content": pem(ec.generate_private_key(ec.SECP384R1()))},
        {"key_id": "SHORT"},
        {"team_id": "not a team"},
        {"topic": "nodots"},
        {"topic": "com.apple.mgmt.External.1"},
    ],
)
def test_an_apple_key_that_cannot_work_is_refused(tenant, changes):
    with pytest.raises(PushKeyRefused):
        install_apns(tenant, **changes)
    assert push_keys.find(tenant.pk, "app_apns") is None


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "authorized_user"},
        {"project_id": "../../x"},
        {"client_email": "me@example.org"},
        {"private_key": "no key"},
        {"private_key": None},
        {"private_key": pem(p256()).decode()},
        {"token_uri": "https://169.254.169.254/token"},
    ],
)
def test_a_service_account_that_cannot_work_is_refused(tenant, changes):
    with pytest.raises(PushKeyRefused):
        install_fcm(tenant, **changes)


@pytest.mark.parametrize("content", [b"{", b"[" * 9000, b"[]", b'"x"', b"\xff\xfe"])
def test_what_is_no_json_file_is_refused(tenant, content):
    with pytest.raises(PushKeyRefused):
        push_keys.install_fcm(tenant=tenant, content=content, actor=ACTOR)


def test_an_error_is_shown_at_its_field(signed_in, owner):
    client = recent(signed_in(owner))
    answer = upload(client, "settings-reminders-apple", pem(rsa_key()), **APPLE_FORM)
    assert answer.status_code == 422
    assert "its key is of another kind" in text(answer)


def test_credentials_need_a_recent_sign_in_and_the_permission(signed_in, owner, helpdesk):
    client = signed_in(owner)
    answer = upload(client, "settings-reminders-firebase", service_account())
    assert "/account/confirm/" in answer["Location"]
    assert upload(signed_in(helpdesk), "settings-reminders-firebase", b"").status_code == 403
    assert not StoredKey.objects.filter(purpose="app_fcm").exists()


def test_the_key_of_browsers_is_made_once(tenant):
    first = push_keys.make_web_push(tenant=tenant, actor=ACTOR)
    assert push_keys.make_web_push(tenant=tenant, actor=ACTOR) == first


def test_without_an_own_device_the_test_asks_apple_about_the_key(tenant, owner, apple):
    install_apns(tenant)
    tested = push_test.test(tenant=tenant, purpose="app_apns", user=owner, actor=owner.actor)
    assert not tested.is_shown
    # The fake takes any well-formed token; the real one would say BadDeviceToken.
    assert tested.is_good


def test_a_key_that_apple_does_not_know_fails_the_test_and_says_so(tenant, owner, apple):
    apple.developer_keys.clear()
    install_apns(tenant)
    tested = push_test.test(tenant=tenant, purpose="app_apns", user=owner, actor=owner.actor)
    assert not tested.is_good
    assert "InvalidProviderToken" in tested.message


def test_the_test_goes_to_the_testers_own_phone(tenant, owner, google):
    google.trust(account())
    install_fcm(tenant)
    phone = app(owner, "fcm")
    tested = push_test.test(tenant=tenant, purpose="app_fcm", user=owner, actor=owner.actor)
    assert tested.is_shown
    assert [sent.target for sent in google.sent] == [push_addresses.open_app_token(phone)]


def test_without_a_phone_the_test_validates_only(tenant, owner, google):
    google.trust(account())
    install_fcm(tenant)
    tested = push_test.test(tenant=tenant, purpose="app_fcm", user=owner, actor=owner.actor)
    assert tested.is_good
    assert [sent.is_validation for sent in google.sent] == [True]


def test_one_click_says_what_came_of_it(signed_in, owner, tenant, google):
    google.trust(account())
    install_fcm(tenant)
    client = signed_in(owner)
    answer = client.post(path("settings-reminders-test", "app_fcm"), follow=True)
    assert "The service knows us" in text(answer)


def test_testing_over_and_over_is_refused(tenant, owner):
    push_keys.make_web_push(tenant=tenant, actor=ACTOR)
    for _ in range(5):
        push_test.test(tenant=tenant, purpose="web_push", user=owner, actor=owner.actor)
    with pytest.raises(push_test.TestedTooOften):
        push_test.test(tenant=tenant, purpose="web_push", user=owner, actor=owner.actor)


def test_what_is_removed_is_erased_and_written_down(signed_in, owner, tenant):
    row = install_apns(tenant)
    client = recent(signed_in(owner))
    client.post(path("settings-reminders-remove", "app_apns"))
    row.refresh_from_db()
    assert bytes(row.sealed_key) == b""
    assert HistoryEntry.objects.filter(action="enrollment.push_key.removed").exists()


def test_a_channel_that_does_not_exist_is_not_found(signed_in, owner):
    client = recent(signed_in(owner))
    assert client.post(path("settings-reminders-test", "device_ca")).status_code == 404
    assert client.get(path("settings-reminders-remove", "device_ca")).status_code == 404

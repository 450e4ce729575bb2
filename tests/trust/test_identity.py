"""Who somebody is comes from the credentials alone; what a header claims changes nothing."""

from __future__ import annotations

import base64
import json
import time

import jwt
import pytest
from django.conf import settings as django_settings
from django.test import Client

from core.models import HistoryEntry
from devices.models import Device
from mdm.environment import env
from tests import factories
from tests.apple.wire import CHECKIN, CONNECT, Phone

pytestmark = pytest.mark.django_db


def forged(owner, other_tenant) -> dict[str, str]:
    """Everything that another server once believed."""
    return {
        "X-User-ID": str(owner.pk),
        "X-Remote-User": owner.email,
        "Remote-User": owner.email,
        "X-Forwarded-User": owner.email,
        "X-Authenticated-User": owner.email,
        "X-Tenant": other_tenant.slug,
        "X-Tenant-Id": str(other_tenant.pk),
        "Site": other_tenant.slug,
        "X-Original-URL": "/devices/",
        "X-Rewrite-URL": "/devices/",
        "X-Original-Method": "DELETE",
        "X-HTTP-Method-Override": "DELETE",
        "X-HTTP-Method": "DELETE",
        "X-Method-Override": "DELETE",
        "X-Forwarded-For": "127.0.0.1",
        "X-Forwarded-Host": "evil.test",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Prefix": "/evil",
        "X-Forwarded-Port": "443",
        "Forwarded": "for=127.0.0.1;host=evil.test;proto=https",
        "X-Real-IP": "127.0.0.1",
        "True-Client-IP": "127.0.0.1",
        "CF-Connecting-IP": "127.0.0.1",
    }


@pytest.fixture
def quiet():
    return Client(raise_request_exception=False)


@pytest.mark.parametrize("path", ["/", "/devices/", "/users/", "/settings/tokens/"])
def test_claims_open_no_page(quiet, owner, other_tenant, path):
    plain = quiet.get(path)
    claimed = quiet.get(path, headers=forged(owner, other_tenant))
    assert (claimed.status_code, claimed.headers["Location"]) == (302, plain.headers["Location"])


def test_claims_change_neither_person_nor_tenant_nor_scheme(
    signed_in, helpdesk, owner, other_tenant, stranger, foreign_device, device
):
    client = signed_in(helpdesk)
    page = client.get("/devices/", headers=forged(stranger, other_tenant))
    assert page.status_code == 200
    text = page.content.decode()
    assert device.serial in text
    assert foreign_device.serial not in text
    assert "evil.test" not in text
    assert page.wsgi_request.user == helpdesk
    assert page.wsgi_request.scheme == "http"
    assert page.wsgi_request.get_host() == "testserver"
    assert (
        client.get("/settings/tokens/new/", headers=forged(owner, other_tenant)).status_code == 403
    )


def test_a_get_stays_a_get_whatever_it_claims(signed_in, owner, device, other_tenant):
    client = signed_in(owner)
    entries = HistoryEntry.objects.count()
    for method in ("DELETE", "POST", "PUT"):
        headers = {"X-HTTP-Method-Override": method, "X-HTTP-Method": method}
        client.get(f"/devices/{device.pk}/?_method={method}", headers=headers)
        client.get(f"/devices/{device.pk}/check-in/?_method={method}", headers=headers)
    assert HistoryEntry.objects.count() == entries
    assert Device.objects.filter(pk=device.pk).exists()


def test_the_history_names_the_address_of_the_connection(signed_in, owner, device, other_tenant):
    signed_in(owner).post(
        f"/users/{device.user_id}/edit/",
        {"first_name": "Pia", "last_name": "Persson"},
        headers=forged(owner, other_tenant),
        REMOTE_ADDR="198.51.100.7",
    )
    entry = HistoryEntry.objects.filter(action="accounts.user.edited").get()
    assert entry.ip == "198.51.100.7"


def test_a_language_cannot_be_kept_for_somebody_else(client, owner, other_tenant):
    client.post("/language/", {"language": "fr"}, headers=forged(owner, other_tenant))
    owner.refresh_from_db()
    assert owner.language == ""


@pytest.mark.parametrize("path", [CHECKIN, CONNECT])
def test_a_device_is_known_by_its_proof_alone(client, tenant, person, owner, other_tenant, path):
    phone = Phone(client, tenant, person).enroll()
    headers = forged(owner, other_tenant) | {
        "Client-Cert": f":{base64.b64encode(bytes(phone.identity.certificate)).decode()}:",
        "X-SSL-Client-Cert": "x",
        "X-Client-Verify": "SUCCESS",
        "X-Device-Id": phone.udid,
    }
    seen = phone.device.contact.last_seen_at
    answer = phone.put(path, b"<plist/>", **headers)
    assert (answer.status_code, answer.content) == (403, b"")
    assert phone.device.contact.last_seen_at == seen


def test_a_serial_number_opens_nothing(client, device, tenant):
    """A serial is a claim: no profile, no organisation, no contact for it."""
    body = json.dumps({"SERIAL": device.serial, "UDID": device.physical.key})
    for path in (CHECKIN, CONNECT, "/mdm/apple/ade", "/mdm/apple/enroll", "/go", "/enroll/profile"):
        for method in ("POST", "PUT", "GET"):
            answer = client.generic(
                method, f"{path}?serial={device.serial}", body, content_type="application/json"
            )
            assert answer.get("Content-Type") != "application/x-apple-aspen-config"
            assert tenant.help_contact == "" or tenant.help_contact.encode() not in answer.content
            if path != "/go":
                assert answer.status_code in (403, 404, 405)


def made_up_tokens(owner) -> dict[str, str]:
    now = int(time.time())
    claims = {"sub": str(owner.pk), "email": owner.email, "iat": now, "exp": now + 600}
    secret = django_settings.SECRET_KEY
    return {
        "none": jwt.encode(claims, None, algorithm="none"),
        "HS256 with the server's key": jwt.encode(claims, secret, algorithm="HS256"),
        "unknown kid": jwt.encode(claims, secret, headers={"kid": "../../etc/passwd"}),
        "jku": jwt.encode(claims, secret, headers={"jku": "http://127.0.0.1:1/keys"}),
        "expired": jwt.encode(claims | {"exp": now - 600}, secret),
        "of the future": jwt.encode(claims | {"nbf": now + 600}, secret),
        "a session": "sessionid",
        "half a token": "mst_",
    }


def test_no_assertion_signs_anybody_in(quiet, owner, device):
    """Tokens are random and looked up; nothing that signs itself is believed anywhere."""
    for name, token in made_up_tokens(owner).items():
        headers = {"Authorization": f"Bearer {token}", "X-Amzn-Oidc-Data": token}
        for path in ("/api/v1/devices", "/api/v1/users"):
            assert quiet.get(path, headers=headers).status_code in (401, 403, 404), name
        assert quiet.get("/devices/", headers=headers).status_code == 302, name


@pytest.mark.parametrize(
    "path",
    [
        "/saml/acs/",
        "/accounts/saml/acme/acs/",
        "/accounts/oidc/acme/login/callback/",
        "/mdm/android/amapi/notifications",
        "/webhooks/mail/bounces",
        "/mdm/apple/push/callback",
    ],
)
def test_nobody_calls_back_without_being_offered_to(quiet, owner, path):
    """No callbacks are taken yet: there is no door for a forged or repeated one."""
    for method in ("POST", "PUT", "GET"):
        answer = quiet.generic(method, path, b'{"message": {"data": "e30="}}')
        assert answer.status_code in (302, 403, 404, 405)
        assert answer.status_code != 302 or answer.headers["Location"].startswith("/sign-in/")


def test_by_default_only_this_machine_reaches_the_port():
    """What comes from elsewhere comes through the proxy, which strips what only it may say."""
    assert "MUSTER_HOST" not in env.ENVIRON
    assert django_settings.MUSTER_HOST == "127.0.0.1"
    assert django_settings.MUSTER_TRUSTED_PROXIES == []


def test_the_owner_of_a_tenant_is_nobody_elsewhere(signed_in, stranger, device, tenant):
    client = signed_in(stranger)
    for query in (f"?tenant={tenant.pk}", f"?tenant_id={tenant.pk}", f"?site={tenant.slug}"):
        assert device.serial not in client.get(f"/devices/{query}").content.decode()
        factories.user(tenant)
        assert client.get(f"/devices/{device.pk}/{query}").status_code == 404

from __future__ import annotations

import plistlib
import subprocess

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from django.utils.translation import override

from apple.platform import ApplePlatform
from apple.services import push_certificate
from core.models import KeyPurpose
from core.services import keys
from tests import factories, pki_material

pytestmark = pytest.mark.django_db
CHALLENGE = "a" * 52


@pytest.fixture
def ready(tenant, monkeypatch, owner):
    factories.with_keys(tenant, monkeypatch)
    push_certificate.install_practice(tenant=tenant, actor=owner.actor)
    return tenant


@pytest.fixture
def attempt(ready, person):
    import datetime as dt

    from core import clock
    from enrollment.models import EnrollmentSession

    return EnrollmentSession.objects.create(
        tenant=ready,
        user=person,
        platform="mac",
        expires_at=clock.now() + dt.timedelta(hours=1),
    )


def build(attempt, language="en"):
    return ApplePlatform().build_profile(session=attempt, challenge=CHALLENGE, language=language)


def verify(tmp_path, content: bytes, root) -> subprocess.CompletedProcess:
    (tmp_path / "p.mobileconfig").write_bytes(content)
    (tmp_path / "root.pem").write_bytes(pki_material.pem_of(root))
    return subprocess.run(
        ["openssl", "cms", "-verify", "-inform", "DER", "-in", tmp_path / "p.mobileconfig",
         "-CAfile", tmp_path / "root.pem", "-purpose", "any", "-out", tmp_path / "out.xml"],
        capture_output=True, check=False,
    )  # fmt: skip


@pytest.mark.openssl
def test_openssl_accepts_the_profile_with_its_chain_and_refuses_a_changed_byte(
    ready, attempt, tmp_path
):
    root = keys.current(ready, KeyPurpose.SIGNING_ROOT).certificate
    content = build(attempt).content
    assert verify(tmp_path, content, root).returncode == 0
    payload = plistlib.loads((tmp_path / "out.xml").read_bytes(), fmt=plistlib.FMT_XML)
    types = [one["PayloadType"] for one in payload["PayloadContent"]]
    assert types == ["com.apple.security.scep", "com.apple.mdm"]
    position = content.index(CHALLENGE.encode())
    changed = content[:position] + b"b" + content[position + 1 :]
    assert verify(tmp_path, changed, root).returncode != 0


@pytest.mark.openssl
def test_another_tenants_root_does_not_vouch_for_it(
    ready, attempt, other_tenant, monkeypatch, tmp_path
):
    factories.with_keys(other_tenant, monkeypatch)
    foreign = keys.current(other_tenant, KeyPurpose.SIGNING_ROOT).certificate
    assert verify(tmp_path, build(attempt).content, foreign).returncode != 0


def test_names_final_addresses_of_the_public_url_whatever_the_host(ready, attempt, settings):
    settings.MUSTER_PUBLIC_URL = "https://mdm.acme.test"
    content = build(attempt).content
    for path in ("connect", "checkin", "scep/acme"):
        assert f"https://mdm.acme.test/mdm/apple/{path}".encode() in content


def test_is_written_in_the_persons_language(attempt, ready):
    with override("en"):
        assert "Management by Acme" in build(attempt).content.decode("utf-8", "ignore")


def test_carries_the_private_roots_of_the_server(attempt, ready, settings, tmp_path):
    root = pki_material.self_signed(pki_material.ec_key("tls root"), "Private root")
    (tmp_path / "roots.pem").write_bytes(pki_material.pem_of(root))
    settings.MUSTER_TLS_ROOTS_FILE = str(tmp_path / "roots.pem")
    import base64

    encoded = base64.b64encode(root.public_bytes(Encoding.DER))
    assert encoded[:40] in build(attempt).content


def test_without_a_push_certificate_people_are_told(tenant):
    assert "not enabled" in ApplePlatform().not_ready_reason(tenant)


def test_with_one_they_are_not(ready):
    assert ApplePlatform().not_ready_reason(ready) is None

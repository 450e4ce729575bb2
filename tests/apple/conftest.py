"""Fixtures of the Apple room's tests."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from core.models import KeyPurpose
from core.services import keys
from tests import factories
from tests.apple.enrolling import Endpoint
from tests.pki_material import key_pem, pem_of, rsa_key


def make_certificate(common_name: str, issuer: str | None = None) -> bytes:
    """Return a DER certificate that is good for looking at, not for trusting."""
    key = ec.generate_private_key(ec.SECP256R1())
    start = datetime(2026, 1, 1, tzinfo=UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer or common_name)]))
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=3650))
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.DER)


@pytest.fixture(scope="session")
def any_certificate() -> bytes:
    return make_certificate("Example Root")


@pytest.fixture(scope="session")
def issued_certificate() -> bytes:
    return make_certificate("Example Leaf", issuer="Example Root")


@pytest.fixture
def scep(tenant, client, monkeypatch) -> Endpoint:
    """The SCEP endpoint of a tenant with its real keys."""
    return _endpoint(tenant, client, monkeypatch)


@pytest.fixture
def other_scep(other_tenant, client, monkeypatch) -> Endpoint:
    return _endpoint(other_tenant, client, monkeypatch)


def _endpoint(tenant, client, monkeypatch) -> Endpoint:
    factories.with_keys(tenant, monkeypatch)
    authority = keys.current(tenant, KeyPurpose.DEVICE_CA)
    return Endpoint(client, tenant, authority.certificate)


@pytest.fixture
def openssl_sign(tmp_path):
    """Sign with the openssl program, as `cms -sign -binary` and DER."""

    def sign(certificate, key, content: bytes, *options: str, second=None) -> bytes:
        arguments = ["openssl", "cms", "-sign", "-binary", "-outform", "DER", *options]
        pairs = [(certificate, key), *([(second, rsa_key("thief"))] if second else [])]
        for index, (one, its_key) in enumerate(pairs):
            (tmp_path / f"{index}.pem").write_bytes(pem_of(one) + key_pem(its_key))
            arguments += ["-signer", str(tmp_path / f"{index}.pem")]
        done = subprocess.run(arguments, input=content, capture_output=True, timeout=30)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    return sign

"""Keys and certificates made at run time, shared by the simulator's own tests."""

from __future__ import annotations

import datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from simulator.cms import Identity


def make_certificate(key, *, name, issuer=None, is_ca=False, days=30, not_before=None):
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    start = not_before or datetime.datetime.now(datetime.UTC) - datetime.timedelta(minutes=5)
    unused = "content_commitment data_encipherment key_agreement encipher_only decipher_only"
    usage = dict.fromkeys(unused.split(), False)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + datetime.timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=True, key_encipherment=True, key_cert_sign=is_ca,
                crl_sign=is_ca, **usage,
            ),
            critical=True,
        )
    )  # fmt: skip
    return builder.sign(issuer.key if issuer else key, hashes.SHA256())


@pytest.fixture(scope="session")
def rsa_keys():
    """A few RSA-2048 keys; generating one per test would cost more than the tests."""
    return [rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(4)]


@pytest.fixture(scope="session")
def authority(rsa_keys):
    key = rsa_keys[0]
    return Identity(key, make_certificate(key, name="Stand-in CA", is_ca=True))


@pytest.fixture(scope="session")
def device_identity(rsa_keys, authority):
    return Identity(rsa_keys[1], make_certificate(rsa_keys[1], name="device", issuer=authority))


@pytest.fixture(scope="session")
def pem_identity(tmp_path_factory, device_identity):
    """Paths of the device identity's certificate and key, for openssl."""
    folder = tmp_path_factory.mktemp("pem")
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    certificate.write_bytes(device_identity.certificate.public_bytes(serialization.Encoding.PEM))
    key.write_bytes(
        device_identity.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return certificate, key

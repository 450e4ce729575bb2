"""Push certificates as files: the request that goes out, the certificate that comes back."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from core.pki import ca, keys

MAX_FILE = 64 * 1024
MAX_CERTIFICATES = 5
TOPIC = re.compile(r"com\.apple\.mgmt\.[A-Za-z0-9.-]{1,100}")
PRACTICE_TOPIC = "com.apple.mgmt.External.practice"


class PushFileError(ValueError):
    """`code` is one of too_large, unreadable, is_request, no_topic."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


@dataclass(frozen=True, slots=True)
class PushCertificate:
    """The certificate, its issuers as far as the file had them, and the topic that it pushes to."""

    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...]
    topic: str

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def public_key_sha256(self) -> str:
        key = self.certificate.public_key()
        return keys.public_key_sha256(key) if isinstance(key, rsa.RSAPublicKey) else ""


def read(data: bytes) -> PushCertificate:
    """Read what Apple's portal gives: PEM, or DER. Raises PushFileError."""
    if len(data) > MAX_FILE:
        raise PushFileError("too_large")
    if b"CERTIFICATE REQUEST-----" in data:
        raise PushFileError("is_request")
    try:
        found = (
            x509.load_pem_x509_certificates(data)
            if b"-----BEGIN" in data
            else [x509.load_der_x509_certificate(data)]
        )
        topics = [(one, topic_of(one)) for one in found[:MAX_CERTIFICATES]]
    except keys.LIBRARY_ERRORS as error:
        raise PushFileError("unreadable") from error
    leaf = next(((one, topic) for one, topic in topics if topic), None)
    if leaf is None:
        raise PushFileError("no_topic")
    return PushCertificate(leaf[0], tuple(one for one, _ in topics if one is not leaf[0]), leaf[1])


def topic_of(certificate: x509.Certificate) -> str:
    """Return the topic, which Apple writes into the subject as user id; "" when there is none."""
    names = certificate.subject.get_attributes_for_oid(NameOID.USER_ID)
    topic = str(names[0].value) if len(names) == 1 else ""
    return topic if TOPIC.fullmatch(topic) else ""


def signing_request(key: rsa.RSAPrivateKey, *, organisation: str) -> bytes:
    """Return a PEM signing request; Apple ignores the subject but wants one."""
    return (
        x509.CertificateSigningRequestBuilder()
        .subject_name(ca.name("Muster push certificate", organisation))
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )


def practice_certificate(
    key: rsa.RSAPrivateKey, *, name: str, not_before: dt.datetime, not_after: dt.datetime
) -> x509.Certificate:
    """Return a self-signed stand-in, with which simulated devices can enroll and no real one."""
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.USER_ID, f"{PRACTICE_TOPIC}.{name}"),
            x509.NameAttribute(NameOID.COMMON_NAME, "Practice push certificate"),
        ]
    )
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(not_before)
        .not_valid_after(not_after)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )

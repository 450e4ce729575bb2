"""Certificates for the fakes, made anew in every test run so that no key is ever committed."""

from __future__ import annotations

import datetime as dt
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
LOOPBACK = ("localhost", "127.0.0.1")


@dataclass(frozen=True)
class Issued:
    """A certificate with its private key."""

    certificate: x509.Certificate
    key: Key

    @property
    def certificate_pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        return self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )

    def write(self, folder: Path, name: str) -> tuple[Path, Path]:
        """Write both as PEM files; return the paths of certificate and key."""
        certificate_path, key_path = folder / f"{name}.crt", folder / f"{name}.key"
        certificate_path.write_bytes(self.certificate_pem)
        key_path.touch(mode=0o600)
        key_path.write_bytes(self.key_pem)
        return certificate_path, key_path


class Authority:
    """A certificate authority: for servers, and in Apple's place for push certificates."""

    def __init__(self, name: str = "Loopback test authority") -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.certificate = (
            _builder(self.name, self.name, self.key.public_key(), *_validity())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
            .sign(self.key, hashes.SHA256())
        )

    @property
    def certificate_pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def write(self, folder: Path, name: str = "authority") -> Path:
        path = folder / f"{name}.crt"
        path.write_bytes(self.certificate_pem)
        return path

    def server(self, *hosts: str, is_expired: bool = False) -> Issued:
        """Return a TLS server certificate for `hosts` (loopback names when none are given)."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = [_general_name(host) for host in hosts or LOOPBACK]
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, (hosts or LOOPBACK)[0])])
        builder = (
            _builder(subject, self.name, key.public_key(), *_validity(is_expired=is_expired))
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        )
        return Issued(builder.sign(self.key, hashes.SHA256()), key)

    def push(self, topic: str, *, is_expired: bool = False) -> Issued:
        """Return an MDM push certificate as Apple's portal issues them (the topic is the UID)."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        return Issued(self.sign_push(key.public_key(), topic, is_expired=is_expired), key)

    def sign_push_request(
        self, request: x509.CertificateSigningRequest, topic: str, *, is_expired: bool = False
    ) -> x509.Certificate:
        """Answer a customer's signing request as Apple's portal would; its subject is ignored."""
        public_key = request.public_key()
        if not request.is_signature_valid or not isinstance(public_key, rsa.RSAPublicKey):
            raise ValueError("Apple accepts only valid RSA signing requests")
        return self.sign_push(public_key, topic, is_expired=is_expired)

    def sign_push(
        self, public_key: rsa.RSAPublicKey, topic: str, *, is_expired: bool = False
    ) -> x509.Certificate:
        subject = x509.Name(
            [
                x509.NameAttribute(NameOID.USER_ID, topic),
                x509.NameAttribute(NameOID.COMMON_NAME, f"APSP:{topic.rpartition('.')[2]}"),
                x509.NameAttribute(NameOID.COUNTRY_NAME, "US"),
            ]
        )
        return (
            _builder(subject, self.name, public_key, *_validity(is_expired=is_expired))
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
            .sign(self.key, hashes.SHA256())
        )


def _validity(*, is_expired: bool = False) -> tuple[dt.datetime, dt.datetime]:
    today = dt.datetime.now(dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    end = today - dt.timedelta(days=1) if is_expired else today + dt.timedelta(days=365)
    return today - dt.timedelta(days=30), end


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    public_key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey,
    not_before: dt.datetime,
    not_after: dt.datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(not_before)
        .not_valid_after(not_after)
    )


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )

"""Keys, certificates and BER forms for tests, made at run time and shared: RSA keys are slow."""

from __future__ import annotations

import datetime as dt
from functools import cache

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)


@cache
def rsa_key(name: str = "", bits: int = 2048) -> rsa.RSAPrivateKey:
    """The same key for the same name, within this run."""
    return rsa.generate_private_key(public_exponent=65_537, key_size=bits)


@cache
def ec_key(name: str = "", curve: str = "secp256r1") -> ec.EllipticCurvePrivateKey:
    curves = {"secp256r1": ec.SECP256R1, "secp384r1": ec.SECP384R1, "secp224r1": ec.SECP224R1}
    return ec.generate_private_key(curves[curve]())


def self_signed(key, name: str = "client", *, serial: int | None = None) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(serial or x509.random_serial_number())
        .not_valid_before(NOW - dt.timedelta(hours=1))
        .not_valid_after(NOW + dt.timedelta(days=7))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def der_of(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.DER)


def is_issued_by(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, InvalidSignature):
        return False
    return True


def pem_of(*certificates: x509.Certificate) -> bytes:
    return b"".join(one.public_bytes(serialization.Encoding.PEM) for one in certificates)


def key_pem(key) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def indefinite(encoded: bytes, *, levels: int = 4) -> bytes:
    """Re-encode the outer constructed elements with indefinite lengths, as devices send them."""
    tag, body, end = _header(encoded, 0)
    contents = encoded[body:end]
    if not tag & 0x20 or levels == 0:
        return encoded[:end]
    pieces, position = [], 0
    while position < len(contents):
        _, _, child_end = _header(contents, position)
        pieces.append(indefinite(contents[position:child_end], levels=levels - 1))
        position = child_end
    return bytes((tag, 0x80)) + b"".join(pieces) + b"\x00\x00"


def _header(data: bytes, offset: int) -> tuple[int, int, int]:
    tag, length, body = data[offset], data[offset + 1], offset + 2
    if length & 0x80:
        size = length & 0x7F
        length = int.from_bytes(data[body : body + size], "big")
        body += size
    return tag, body, body + length

"""The few fields of a certificate that CMS needs, read without judging the rest of it.

Clients wrap their keys in self-signed certificates that strict parsers refuse (a 33-byte serial
number, a wrong version), and CMS names certificates by the exact bytes of issuer and serial.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from core.pki import algorithms, ber, der, keys
from core.pki.errors import CmsError, KeyPolicyError


@dataclass(frozen=True, slots=True)
class CertificateView:
    """`issuer` and `spki` are whole elements; `serial` is the contents of the INTEGER."""

    der: bytes
    serial: bytes
    issuer: bytes
    spki: bytes
    extensions: ber.Element | None

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.der).hexdigest()

    def public_key(self, *, min_rsa_bits: int = keys.MIN_RSA_BITS) -> keys.PublicKey:
        """The key, checked against the key policy. Raises `CmsError`."""
        try:
            return _checked_key(self.spki, min_rsa_bits)
        except KeyPolicyError as error:
            raise CmsError("weak_key", str(error)) from error

    def subject_key_identifier(self) -> bytes | None:
        if self.extensions is None:
            return None
        wanted = der.oid(algorithms.SUBJECT_KEY_IDENTIFIER)
        reader = ber.BerReader(self.der)
        for extension in _children_of_single(reader, self.extensions):
            fields = reader.children(extension)
            if len(fields) >= 2 and reader.raw(fields[0]) == wanted:
                inner = ber.BerReader(reader.octets(fields[-1]))
                return inner.octets(inner.root(ber.OCTET_STRING))
        return None


@lru_cache(maxsize=1024)
def _checked_key(spki: bytes, min_rsa_bits: int) -> keys.PublicKey:
    # A device sends the same certificate with every message; only accepted keys are kept.
    reader = ber.BerReader(spki)
    parts = reader.children(reader.root())
    if len(parts) != 2 or parts[0].tag != ber.SEQUENCE:  # the library reads bare PKCS #1 as well
        raise CmsError("malformed", "not a SubjectPublicKeyInfo")
    return keys.check_public_key(keys.load_public(spki), min_rsa_bits=min_rsa_bits)


def _children_of_single(reader: ber.BerReader, parent: ber.Element) -> list[ber.Element]:
    children = reader.children(parent)
    if len(children) != 1:
        raise CmsError("malformed", "unreadable extensions")
    return reader.children(children[0])


def read_certificate(data: bytes) -> CertificateView:
    """Raises `CmsError("malformed")`."""
    reader = ber.BerReader(data)
    parts = reader.children(reader.root())
    if len(parts) != 3:
        raise CmsError("malformed", "not a certificate")
    fields = reader.children(parts[0])
    if fields and fields[0].tag == 0xA0:  # the explicit version, absent in version 1
        fields = fields[1:]
    if len(fields) < 6:
        raise CmsError("malformed", "not a certificate")
    serial, _, issuer, _, _, spki = fields[:6]
    if any(field.tag != ber.SEQUENCE for field in fields[1:6]):
        raise CmsError("malformed", "not a certificate")
    return CertificateView(
        der=data,
        serial=reader.value(serial, ber.INTEGER),
        issuer=reader.raw(issuer),
        spki=reader.raw(spki),
        extensions=next((field for field in fields[6:] if field.tag == 0xA3), None),
    )


def view_of(certificate: x509.Certificate) -> CertificateView:
    return read_certificate(certificate.public_bytes(serialization.Encoding.DER))

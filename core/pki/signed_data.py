"""Reading CMS SignedData (RFC 5652 §5) in BER or DER, without verifying anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.pki import algorithms, ber, der
from core.pki.certificates import CertificateView, read_certificate
from core.pki.errors import CmsError

MAX_CERTIFICATES = 16
_MAX_ATTRIBUTES = 64

DATA = der.oid(algorithms.DATA)
_SIGNED_DATA = der.oid(algorithms.SIGNED_DATA)
_DIGEST_NAMES = {der.oid(dotted): name for name, dotted in algorithms.DIGEST_OIDS.items()}


@dataclass(frozen=True, slots=True)
class SignedMessage:
    """A SignedData that was read but not verified yet."""

    certificates: tuple[bytes, ...]
    content: bytes | None
    content_is_streamed: bool
    signer_id: tuple[bytes, bytes] | bytes
    digest_oid: bytes
    signature_oid: bytes
    signature: bytes
    signed_attributes: bytes | None
    attributes: Mapping[bytes, tuple[bytes, ...]]

    def single(self, attribute: bytes) -> bytes | None:
        """The one value of a signed attribute (by the DER of its OID), None when absent."""
        values = self.attributes.get(attribute)
        if values is None:
            return None
        if len(values) != 1:
            raise CmsError("malformed", "an attribute has not exactly one value")
        return values[0]

    def find_signer(self) -> CertificateView:
        for candidate in self.certificates:
            view = read_certificate(candidate)
            if isinstance(self.signer_id, bytes):
                if view.subject_key_identifier() == self.signer_id:
                    return view
            elif (view.issuer, view.serial) == self.signer_id:
                return view
        raise CmsError("signer_not_found", "the signer's certificate is not in the message")

    def digest(self) -> str:
        name = _DIGEST_NAMES.get(self.digest_oid)
        if name is None:
            raise CmsError("unsupported_algorithm", "unknown or refused digest")
        return name


def read_signed(message: bytes, *, max_size: int) -> SignedMessage:
    """Read a SignedData with exactly one signer. Raises `CmsError`; verifies nothing."""
    if len(message) > max_size:
        raise CmsError("too_large", f"{len(message)} bytes")
    reader = ber.BerReader(message)
    fields = read_content_info(reader, _SIGNED_DATA)
    if len(fields) < 4 or fields[1].tag != ber.SET or fields[-1].tag != ber.SET:
        raise CmsError("malformed", "not a SignedData")
    reader.integer(fields[0])
    certificates: tuple[bytes, ...] = ()
    for optional in fields[3:-1]:
        if optional.tag == 0xA0:
            choices = reader.children(optional)
            certificates = tuple(reader.raw(one) for one in choices if one.tag == ber.SEQUENCE)
        elif optional.tag != 0xA1:  # revocation lists: allowed, not used
            raise CmsError("malformed", "unexpected field in SignedData")
    if len(certificates) > MAX_CERTIFICATES:
        raise CmsError("too_complex", "too many certificates")
    signers = reader.children(fields[-1])
    if len(signers) != 1:
        raise CmsError("signer_count", f"{len(signers)} signers")
    return _read_signer(reader, signers[0], certificates, _read_content(reader, fields[2]))


def read_content_info(reader: ber.BerReader, expected: bytes) -> list[ber.Element]:
    """The fields of the structure inside a ContentInfo of the expected type."""
    parts = reader.children(reader.root())
    if len(parts) != 2 or parts[1].tag != 0xA0 or reader.raw(parts[0]) != expected:
        raise CmsError("malformed", "not a ContentInfo of the expected type")
    inner = reader.children(parts[1])
    if len(inner) != 1 or inner[0].tag != ber.SEQUENCE:
        raise CmsError("malformed", "empty ContentInfo")
    return reader.children(inner[0])


def read_algorithm(reader: ber.BerReader, element: ber.Element) -> tuple[bytes, bytes]:
    """OID (whole element) and parameters (whole element, or empty) of an AlgorithmIdentifier."""
    parts = reader.children(element) if element.tag == ber.SEQUENCE else []
    if not 1 <= len(parts) <= 2 or parts[0].tag != ber.OID:
        raise CmsError("malformed", "not an AlgorithmIdentifier")
    return reader.raw(parts[0]), reader.raw(parts[1]) if len(parts) == 2 else b""


def read_issuer_and_serial(reader: ber.BerReader, element: ber.Element) -> tuple[bytes, bytes]:
    parts = reader.children(element)
    if len(parts) != 2:
        raise CmsError("malformed", "not an IssuerAndSerialNumber")
    return reader.raw(parts[0]), reader.value(parts[1], ber.INTEGER)


def _read_content(reader: ber.BerReader, element: ber.Element) -> tuple[bytes | None, bool]:
    parts = reader.children(element) if element.tag == ber.SEQUENCE else []
    if not 1 <= len(parts) <= 2 or reader.raw(parts[0]) != DATA:
        raise CmsError("malformed", "the content is not plain data")
    if len(parts) == 1:
        return None, False
    inner = reader.children(parts[1]) if parts[1].tag == 0xA0 else []
    if len(inner) != 1:
        raise CmsError("malformed", "unreadable content")
    return reader.octets(inner[0]), inner[0].tag != ber.OCTET_STRING


def _read_signer(
    reader: ber.BerReader,
    element: ber.Element,
    certificates: tuple[bytes, ...],
    content: tuple[bytes | None, bool],
) -> SignedMessage:
    fields = reader.children(element) if element.tag == ber.SEQUENCE else []
    if len(fields) < 5:
        raise CmsError("malformed", "not a SignerInfo")
    reader.integer(fields[0])
    signer_id: tuple[bytes, bytes] | bytes
    if fields[1].tag == ber.SEQUENCE:
        signer_id = read_issuer_and_serial(reader, fields[1])
    else:
        signer_id = reader.octets(fields[1], 0x80)
    digest_oid, _ = read_algorithm(reader, fields[2])
    signed_attributes, attributes = None, {}
    rest = fields[3:]
    if rest[0].tag == 0xA0:
        signed_attributes = reader.data[rest[0].body : rest[0].end]
        attributes = _read_attributes(reader, rest[0])
        rest = rest[1:]
    if len(rest) not in (2, 3) or (len(rest) == 3 and rest[2].tag != 0xA1):
        raise CmsError("malformed", "not a SignerInfo")
    return SignedMessage(
        certificates=certificates,
        content=content[0],
        content_is_streamed=content[1],
        signer_id=signer_id,
        digest_oid=digest_oid,
        signature_oid=read_algorithm(reader, rest[0])[0],
        signature=reader.octets(rest[1]),
        signed_attributes=signed_attributes,
        attributes=attributes,
    )


def _read_attributes(reader: ber.BerReader, element: ber.Element) -> dict[bytes, tuple[bytes, ...]]:
    found: dict[bytes, tuple[bytes, ...]] = {}
    children = reader.children(element)
    if not 1 <= len(children) <= _MAX_ATTRIBUTES:
        raise CmsError("malformed", "number of attributes")
    for attribute in children:
        parts = reader.children(attribute) if attribute.tag == ber.SEQUENCE else []
        if len(parts) != 2 or parts[0].tag != ber.OID or parts[1].tag != ber.SET:
            raise CmsError("malformed", "not an attribute")
        name = reader.raw(parts[0])
        if name in found:  # RFC 5652 §5.3: an attribute occurs once
            raise CmsError("malformed", "repeated attribute")
        found[name] = tuple(reader.raw(value) for value in reader.children(parts[1]))
    return found

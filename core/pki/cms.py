"""CMS SignedData: what devices sign is verified here, what we sign is built here.

Reading accepts BER and DER, with and without signed attributes, because real devices send
indefinite lengths, SHA-1 and no attributes. Writing is always DER with attributes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from core.pki import algorithms, ber, der, keys
from core.pki.certificates import CertificateView, view_of
from core.pki.errors import CmsError
from core.pki.signed_data import DATA, SignedMessage, read_signed

ACCEPTED_DIGESTS = frozenset(algorithms.DIGEST_OIDS)
MAX_DETACHED = 64 * 1024
MAX_ATTACHED = 4 * 1024 * 1024

_SIGNATURES = {der.oid(dotted): value for dotted, value in algorithms.SIGNATURES.items()}
_CONTENT_TYPE = der.oid(algorithms.CONTENT_TYPE)
_MESSAGE_DIGEST = der.oid(algorithms.MESSAGE_DIGEST)


@dataclass(frozen=True, slots=True)
class Verified:
    """A message whose signature holds. That the signer may be trusted is not said here.

    `signer` is the certificate whose key verified, `certificates` all embedded ones (DER).
    """

    signer: CertificateView
    certificates: tuple[bytes, ...]
    digest: str
    has_signed_attributes: bool
    content: bytes


def verify(
    message: SignedMessage,
    content: bytes,
    *,
    digests: Collection[str] = ACCEPTED_DIGESTS,
) -> Verified:
    """Check the signature of a message that was read before. Raises `CmsError`, nothing else."""
    digest = message.digest()
    if digest not in digests:
        raise CmsError("digest_refused", digest)
    family, named = _SIGNATURES.get(message.signature_oid, ("", ""))
    if not family or (named and named != digest):
        raise CmsError("unsupported_algorithm", "signature algorithm")
    signer = message.find_signer()
    key = signer.public_key()
    if isinstance(key, rsa.RSAPublicKey) != (family == "rsa"):
        raise CmsError("bad_signature", "the key is of another family than the signature")
    signed = [content]
    if message.signed_attributes is not None:
        _check_attributes(message, content, digest)
        signed = _signed_forms(message.signed_attributes)
    elif content[:1] == b"\x31" and _CONTENT_TYPE in content[:64]:
        # The signed attributes of another message, passed off as content (RFC 5652 §11).
        raise CmsError("bad_signature", "attributes in the place of content")
    if not any(_signature_holds(key, message.signature, form, digest) for form in signed):
        raise CmsError("bad_signature", "the signature does not fit the content")
    return Verified(
        signer=signer,
        certificates=message.certificates,
        digest=digest,
        has_signed_attributes=message.signed_attributes is not None,
        content=content,
    )


def _check_attributes(message: SignedMessage, content: bytes, digest: str) -> None:
    if message.single(_CONTENT_TYPE) != DATA:
        raise CmsError("attributes_mismatch", "contentType")
    expected = hashlib.new(digest, content, usedforsecurity=False).digest()
    if message.single(_MESSAGE_DIGEST) != der.octet_string(expected):
        raise CmsError("attributes_mismatch", "messageDigest")


def _signed_forms(attributes: bytes) -> list[bytes]:
    # What is signed is the SET, not its [0] (RFC 5652 §5.4). Some clients send their attributes
    # unsorted and sign them as sent, others sign the sorted set whatever they send.
    as_sent = der.element(ber.SET, attributes)
    reader = ber.BerReader(as_sent)
    in_order = der.set_of(reader.raw(child) for child in reader.children(reader.root(ber.SET)))
    return [as_sent] if in_order == as_sent else [as_sent, in_order]


def _signature_holds(key: keys.PublicKey, signature: bytes, signed: bytes, digest: str) -> bool:
    algorithm = algorithms.HASHES[digest]
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, signed, padding.PKCS1v15(), algorithm)
        else:
            key.verify(signature, signed, ec.ECDSA(algorithm))
    except InvalidSignature:
        return False
    except keys.LIBRARY_ERRORS as error:
        raise CmsError("unsupported_algorithm", "the signature cannot be checked") from error
    return True


def verify_detached(
    signature: bytes,
    content: bytes,
    *,
    digests: Collection[str] = ACCEPTED_DIGESTS,
    max_size: int = MAX_DETACHED,
) -> Verified:
    """Verify a signature over bytes that travel beside it. Raises `CmsError`, nothing else.

    A signature that carries content of its own is refused, since a reader could take one for the
    other. Except: streaming writers (`openssl cms -sign -stream`) cannot leave out what they
    signed; their segmented copy is accepted when it is the same bytes.
    """
    message = read_signed(signature, max_size=max_size)
    if message.content is not None and not (
        message.content_is_streamed and message.content == content
    ):
        raise CmsError("content_unexpected", "a detached signature carries content")
    return verify(message, content, digests=digests)


def verify_attached(
    message: bytes,
    *,
    digests: Collection[str] = ACCEPTED_DIGESTS,
    max_size: int = MAX_ATTACHED,
) -> Verified:
    """Verify a message that carries its content. Raises `CmsError`, nothing else."""
    signed = read_signed(message, max_size=max_size)
    if signed.content is None:
        raise CmsError("content_missing", "the message carries no content")
    return verify(signed, signed.content, digests=digests)


def sign_attached(
    content: bytes,
    *,
    certificate: x509.Certificate,
    key: keys.PrivateKey,
    chain: Sequence[x509.Certificate] = (),
    signing_time: datetime | None = None,
) -> bytes:
    """DER SignedData that carries `content` and the signer's certificate with its whole chain.

    SHA-256. Raises `ValueError` when key and certificate do not belong together.
    """
    attributes = _signing_time(signing_time)
    return build_signed(content, certificate=certificate, key=key, chain=chain, extra=attributes)


def sign_detached(
    content: bytes,
    *,
    certificate: x509.Certificate,
    key: keys.PrivateKey,
    chain: Sequence[x509.Certificate] = (),
    signing_time: datetime | None = None,
) -> bytes:
    """As `sign_attached`, but the content travels elsewhere."""
    attributes = _signing_time(signing_time)
    return build_signed(
        content,
        certificate=certificate,
        key=key,
        chain=chain,
        extra=attributes,
        attach=False,
    )


def build_signed(
    content: bytes | None,
    *,
    certificate: x509.Certificate,
    key: keys.PrivateKey,
    chain: Sequence[x509.Certificate] = (),
    embedded: Sequence[x509.Certificate] | None = None,
    extra: Sequence[bytes] = (),
    attach: bool = True,
) -> bytes:
    """SignedData with the signed attributes of `extra` besides the two mandatory ones.

    `embedded` replaces signer + chain as the list of certificates, kept in the given order.
    Without content (None) the digest is that of no bytes, as SCEP wants it for a FAILURE.
    """
    if key.public_key() != certificate.public_key():
        raise ValueError("the key does not belong to the certificate")
    digest = der.algorithm(algorithms.DIGEST_OIDS["sha256"])
    signed = der.set_of(
        (
            attribute(algorithms.CONTENT_TYPE, DATA),
            attribute(
                algorithms.MESSAGE_DIGEST,
                der.octet_string(hashlib.sha256(content or b"").digest()),
            ),
            *extra,
        )
    )
    view = view_of(certificate)
    signer_info = der.sequence(
        der.integer(1),
        der.sequence(view.issuer, der.element(ber.INTEGER, view.serial)),
        digest,
        der.context(0, _contents(signed)),
        *_sign(key, signed),
    )
    parts = [der.oid(algorithms.DATA)]
    if attach and content is not None:
        parts.append(der.context(0, der.octet_string(content)))
    listed = [certificate, *chain] if embedded is None else embedded
    return _signed_data(der.set_of([digest]), der.sequence(*parts), listed, [signer_info])


def certificates_only(certificates: Sequence[x509.Certificate]) -> bytes:
    """The degenerate SignedData of RFC 8894 §3.4: certificates in the given order, no signer."""
    return _signed_data(der.set_of([]), der.sequence(der.oid(algorithms.DATA)), certificates, [])


def attribute(dotted: str, value: bytes) -> bytes:
    return der.sequence(der.oid(dotted), der.set_of([value]))


def _signing_time(value: datetime | None) -> list[bytes]:
    return [] if value is None else [attribute(algorithms.SIGNING_TIME, der.time(value))]


def _sign(key: keys.PrivateKey, data: bytes) -> tuple[bytes, bytes]:
    if isinstance(key, rsa.RSAPrivateKey):
        # strongSwan's SCEP client reads rsaEncryption here and nothing else.
        algorithm = der.algorithm(algorithms.RSA_ENCRYPTION, der.null())
        signature = key.sign(data, padding.PKCS1v15(), algorithms.HASHES["sha256"])
    else:
        algorithm = der.algorithm(algorithms.ECDSA_OIDS["sha256"])
        signature = key.sign(data, ec.ECDSA(algorithms.HASHES["sha256"]))
    return algorithm, der.octet_string(signature)


def _signed_data(
    digests: bytes,
    content: bytes,
    certificates: Sequence[x509.Certificate],
    signers: Sequence[bytes],
) -> bytes:
    encoded = b"".join(one.public_bytes(serialization.Encoding.DER) for one in certificates)
    return der.sequence(
        der.oid(algorithms.SIGNED_DATA),
        der.context(
            0,
            der.sequence(
                der.integer(1),
                digests,
                content,
                der.context(0, encoded),
                der.set_of(signers),
            ),
        ),
    )


def _contents(encoded: bytes) -> bytes:
    reader = ber.BerReader(encoded)
    element = reader.root(encoded[0])
    return encoded[element.body : element.end]

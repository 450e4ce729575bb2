"""Who sends a request: from signature or client certificate to a certificate that we issued."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

import structlog
from django.db.models import QuerySet
from django.http import HttpRequest

from apple.errors import IdentityMissing, IdentityRefused, SignatureInvalid
from core import clock, net
from core.pki import cms
from core.pki.errors import CmsError
from devices.models import Identity

log = structlog.get_logger(__name__)

SIGNATURE_HEADER = "Mdm-Signature"
# RFC 9440, and nginx's $ssl_client_escaped_cert.
CERTIFICATE_HEADER = "Client-Cert"
ESCAPED_PEM_HEADER = "X-SSL-Client-Cert"
MAX_HEADER = 64 * 1024
_PEM_BEGIN, _PEM_END = b"-----BEGIN CERTIFICATE-----", b"-----END CERTIFICATE-----"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who speaks. `is_expired`: the certificate is past its end, but it is bound and ours.

    `digest` is that of the signature, empty for a client certificate.
    """

    identity: Identity
    is_expired: bool
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Proof:
    """The certificate whose holder made a request; nobody looked yet whether it is one of ours."""

    certificate_sha256: str
    digest: str = ""

    @property
    def short(self) -> str:
        """What the log calls the certificate."""
        return self.certificate_sha256[:16]


def authenticate(
    request: HttpRequest,
    body: bytes,
    *,
    related: Sequence[str] = ("device__physical", "device__contact"),
) -> Caller:
    """Find the identity behind a request, with `related` loaded. One query.

    A signature is checked before the database is asked, so that forgeries cost no query.
    Raises what `prove` and `identify` raise; nothing is ever 401.
    """
    return identify(prove(request, body), related=related)


def prove(request: HttpRequest, body: bytes) -> Proof:
    """Check signature or client certificate, and return whose it is. No query.

    Raises IdentityMissing (403) and SignatureInvalid (400).
    """
    signature = request.headers.get(SIGNATURE_HEADER)
    if signature is not None:
        verified = _verify(signature, body)
        return Proof(verified.signer.sha256, verified.digest)
    return Proof(hashlib.sha256(_handed_on(request)).hexdigest())


def identify(
    proof: Proof, *, related: Sequence[str] = ("device__physical", "device__contact")
) -> Caller:
    """Find the identity of a proven certificate, with `related` loaded. One query.

    An expired identity passes, because it must be able to receive its renewal. Whether the
    identity is bound, superseded, or speaks for the device that the body names, is for `bindings`
    to say. Raises IdentityRefused (400).
    """
    return _caller(
        proof.certificate_sha256, proof.digest, Identity.objects.select_related(*related)
    )


def _verify(header: str, body: bytes) -> cms.Verified:
    try:
        return cms.verify_detached(_decode(header), body)
    except CmsError as error:
        log.warning("apple.signature.refused", reason=error.code)
        raise SignatureInvalid from error


def _decode(text: str) -> bytes:
    if len(text) > MAX_HEADER:
        raise CmsError("too_large", "header")
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise CmsError("malformed", "the header is not base64") from error


def _handed_on(request: HttpRequest) -> bytes:
    """The client certificate that a trusted proxy saw in its handshake (DER).

    Anybody else's header is no proof of anything and is not looked at.
    """
    if not net.is_trusted_proxy(request):
        raise IdentityMissing
    structured = request.headers.get(CERTIFICATE_HEADER, "").strip()
    escaped = request.headers.get(ESCAPED_PEM_HEADER, "").strip()
    if not structured.strip(":") and not escaped:
        raise IdentityMissing
    try:
        if structured:
            if len(structured) < 2 or structured[0] != ":" or structured[-1] != ":":
                raise CmsError("malformed", "not a structured byte sequence")
            return _decode(structured[1:-1])
        return _from_pem(escaped)
    except CmsError as error:
        log.warning("apple.client_certificate.refused", reason=error.code)
        raise SignatureInvalid from error


def _from_pem(escaped: str) -> bytes:
    pem = unquote_to_bytes(escaped[:MAX_HEADER])
    begin, end = pem.find(_PEM_BEGIN), pem.find(_PEM_END)
    if begin < 0 or end < begin:
        raise CmsError("malformed", "not a PEM certificate")
    return _decode(pem[begin + len(_PEM_BEGIN) : end].decode("ascii", "replace"))


def _caller(fingerprint: str, digest: str, identities: QuerySet[Identity]) -> Caller:
    identity = (
        identities.defer("certificate")
        .filter(sha256=fingerprint, issuer_key__retired_at=None)
        .first()
    )
    if identity is None or identity.revoked_at is not None:
        reason = "revoked" if identity else "unknown"
        log.warning("apple.identity.refused", reason=reason, certificate=fingerprint[:16])
        raise IdentityRefused
    is_expired = identity.not_after <= clock.now()
    if is_expired:
        log.warning("apple.identity.expired", identity=str(identity.pk))
    return Caller(identity=identity, is_expired=is_expired, digest=digest)

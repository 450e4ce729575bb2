"""SCEP messages (RFC 8894) as Apple's and other clients send them, and the server's replies."""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import unquote_to_bytes

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.x509.oid import AttributeOID

from core.pki import algorithms, ber, cms, der, envelope, keys
from core.pki.certificates import CertificateView
from core.pki.envelope import Recipient
from core.pki.errors import CmsError, KeyPolicyError, PkiError
from core.pki.signed_data import SignedMessage, read_signed

MAX_MESSAGE = 64 * 1024
MAX_NONCE = 64
MAX_TRANSACTION_ID = 255

CAPABILITIES = (
    "AES",
    "DES3",
    "POSTPKIOperation",
    "Renewal",
    "SHA-1",
    "SHA-256",
    "SHA-512",
    "SCEPStandard",
)
CA_CERTIFICATE_TYPE = "application/x-x509-ca-cert"
CA_CHAIN_TYPE = "application/x-x509-ca-ra-cert"
MESSAGE_TYPE = "application/x-pki-message"

_VERISIGN = "2.16.840.1.113733.1.9"
_MESSAGE_TYPE = f"{_VERISIGN}.2"
_PKI_STATUS = f"{_VERISIGN}.3"
_FAIL_INFO = f"{_VERISIGN}.4"
_SENDER_NONCE = f"{_VERISIGN}.5"
_RECIPIENT_NONCE = f"{_VERISIGN}.6"
_TRANSACTION_ID = f"{_VERISIGN}.7"
_TEXT_TAGS = frozenset({ber.PRINTABLE_STRING, ber.UTF8_STRING, ber.IA5_STRING})
_BAD_ALGORITHM_CODES = frozenset({"unsupported_algorithm", "digest_refused", "weak_key"})


class MessageType(StrEnum):
    CERT_REP = "3"
    RENEWAL_REQ = "17"
    PKCS_REQ = "19"
    CERT_POLL = "20"
    GET_CERT = "21"
    GET_CRL = "22"


class FailInfo(StrEnum):
    BAD_ALG = "0"
    BAD_MESSAGE_CHECK = "1"
    BAD_REQUEST = "2"
    BAD_TIME = "3"
    BAD_CERT_ID = "4"


class ScepFailure(PkiError):
    """A request that is answered with FAILURE; `fail_info` is what the client is told."""

    def __init__(self, fail_info: FailInfo, message: str) -> None:
        super().__init__(fail_info.name.lower(), message)
        self.fail_info = fail_info


@dataclass(frozen=True, slots=True)
class Request:
    """A pkiMessage that was read: enough to answer it, but nothing in it is proven yet."""

    message_type: str
    transaction_id: str
    sender_nonce: bytes
    signed: SignedMessage


@dataclass(frozen=True, slots=True)
class OpenedRequest:
    """A request for a certificate whose signature, envelope and proof of possession hold.

    The signer proved that it holds the key of its certificate, no more: whether that is one of
    ours is for the caller to find out. Subject and extensions asked for are left out on purpose.
    """

    request: Request
    signer: CertificateView
    public_key: rsa.RSAPublicKey
    challenge: str
    cipher: str
    digest: str


def read_request(data: bytes) -> Request:
    """Read a pkiMessage. Raises `CmsError`: without these fields no reply can be built."""
    signed = read_signed(data, max_size=MAX_MESSAGE)
    nonce = _attribute(signed, _SENDER_NONCE)
    reader = ber.BerReader(nonce)
    sender_nonce = reader.octets(reader.root(ber.OCTET_STRING))
    if not 1 <= len(sender_nonce) <= MAX_NONCE:
        raise CmsError("malformed", "senderNonce")
    return Request(
        message_type=_text(_attribute(signed, _MESSAGE_TYPE)),
        transaction_id=_text(_attribute(signed, _TRANSACTION_ID)),
        sender_nonce=sender_nonce,
        signed=signed,
    )


def open_request(request: Request, *, recipients: Sequence[Recipient]) -> OpenedRequest:
    """Verify and decrypt a PKCSReq or RenewalReq. Raises `ScepFailure`.

    `recipients` are all CAs that are alive. An envelope that does not open and one that opens to
    nonsense fail alike, so that the answers do not say whether a padding was right.
    """
    if request.message_type not in (MessageType.PKCS_REQ, MessageType.RENEWAL_REQ):
        raise ScepFailure(FailInfo.BAD_REQUEST, f"message type {request.message_type}")
    try:
        content = request.signed.content
        if content is None:
            raise CmsError("content_missing", "no envelope")
        verified = cms.verify(request.signed, content)
        sealed = envelope.read_envelope(content, max_size=MAX_MESSAGE)
        public_key, challenge = _read_csr(envelope.open_envelope(sealed, recipients=recipients))
    except CmsError as error:
        bad_algorithm = error.code in _BAD_ALGORITHM_CODES
        fail_info = FailInfo.BAD_ALG if bad_algorithm else FailInfo.BAD_MESSAGE_CHECK
        raise ScepFailure(fail_info, f"{error.code}: {error}") from error
    if not isinstance(verified.signer.public_key(), rsa.RSAPublicKey):
        raise ScepFailure(FailInfo.BAD_ALG, "a reply can only be encrypted to an RSA key")
    return OpenedRequest(
        request=request,
        signer=verified.signer,
        public_key=public_key,
        challenge=challenge,
        cipher=sealed.cipher,
        digest=verified.digest,
    )


def addressed_to(request: Request, *, recipients: Sequence[Recipient]) -> Recipient:
    """The CA that the client knows and expects the reply from; the first one when in doubt."""
    if len(recipients) > 1 and request.signed.content is not None:
        try:
            sealed = envelope.read_envelope(request.signed.content, max_size=MAX_MESSAGE)
            return envelope.find_recipient(sealed, recipients)[0]
        except CmsError:
            return recipients[0]
    return recipients[0]


def build_success(
    opened: OpenedRequest,
    *,
    issued: x509.Certificate,
    authority: Recipient,
    chain: Sequence[x509.Certificate] = (),
) -> bytes:
    """CertRep SUCCESS, encrypted to the signer of the request with the cipher that it used.

    Some Apple versions take the first certificate of the outer list as the issued one, so it
    comes first there too.
    """
    listed = [issued, authority.certificate, *chain]
    content = envelope.encrypt(
        cms.certificates_only(listed), recipient=opened.signer, cipher=opened.cipher
    )
    return _reply(opened.request, authority, "0", content=content, embedded=listed)


def build_failure(request: Request, *, fail_info: FailInfo, authority: Recipient) -> bytes:
    """CertRep FAILURE with every attribute: clients crashed when one was missing."""
    extra = [cms.attribute(_FAIL_INFO, der.printable_string(fail_info))]
    embedded = [authority.certificate]
    return _reply(request, authority, "2", content=None, embedded=embedded, extra=extra)


def capabilities() -> bytes:
    return "".join(f"{keyword}\n" for keyword in CAPABILITIES).encode()


def ca_certificates(certificates: Sequence[x509.Certificate]) -> tuple[str, bytes]:
    """Content type and body of the answer to GetCACert: the CA first, then its chain if any."""
    if len(certificates) == 1:
        return CA_CERTIFICATE_TYPE, certificates[0].public_bytes(serialization.Encoding.DER)
    return CA_CHAIN_TYPE, cms.certificates_only(certificates)


def parse_query(raw: str) -> tuple[str, bytes]:
    """Operation and message (as text) of a raw query string.

    Raw, because macOS leaves `+` and `/` of its base64 unescaped and others use the URL-safe
    alphabet; a framework's parser turns the `+` into a space.
    """
    fields: dict[str, bytes] = {}
    for part in raw.split("&"):
        name, _, value = part.partition("=")
        fields.setdefault(name.lower(), unquote_to_bytes(value))
    operation = fields.get("operation", b"").decode("ascii", "replace")
    return operation, fields.get("message", b"")


def decode_message(text: bytes) -> bytes:
    """The message of a GET, whichever base64 alphabet and padding it has. Raises `CmsError`."""
    text = text.translate(bytes.maketrans(b" -_", b"++/"), b"\r\n\t").rstrip(b"=")
    try:
        return base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except binascii.Error as error:
        raise CmsError("malformed", "the message is not base64") from error


def _reply(
    request: Request,
    authority: Recipient,
    status: str,
    *,
    content: bytes | None,
    embedded: Sequence[x509.Certificate],
    extra: Sequence[bytes] = (),
) -> bytes:
    attributes = [
        cms.attribute(_MESSAGE_TYPE, der.printable_string(MessageType.CERT_REP)),
        cms.attribute(_PKI_STATUS, der.printable_string(status)),
        cms.attribute(_TRANSACTION_ID, der.printable_string(request.transaction_id)),
        cms.attribute(_SENDER_NONCE, der.octet_string(os.urandom(16))),
        cms.attribute(_RECIPIENT_NONCE, der.octet_string(request.sender_nonce)),
        *extra,
    ]
    return cms.build_signed(
        content,
        certificate=authority.certificate,
        key=authority.key,
        embedded=embedded,
        extra=attributes,
    )


def _read_csr(data: bytes) -> tuple[rsa.RSAPublicKey, str]:
    try:
        csr = x509.load_der_x509_csr(data)
        key = csr.public_key()
        _check_possession(csr, key)
        challenge = _challenge(csr)
    except (InvalidSignature, *keys.LIBRARY_ERRORS) as error:
        raise CmsError("undecryptable", "no valid certification request inside") from error
    # Only now, with the signature good, may answers differ: see `envelope.open_envelope`.
    try:
        keys.check_public_key(key)
    except KeyPolicyError as error:
        raise CmsError("weak_key", str(error)) from error
    if not isinstance(key, rsa.RSAPublicKey):
        raise CmsError("unsupported_algorithm", "identities have RSA keys")
    return key, challenge


def _check_possession(csr: x509.CertificateSigningRequest, key: PublicKeyTypes) -> None:
    # Not `is_signature_valid`, which refuses the SHA-1 of older clients.
    algorithm = csr.signature_hash_algorithm
    if algorithm is None or algorithm.name not in algorithms.HASHES:
        raise ValueError("digest of the certification request")
    if isinstance(key, rsa.RSAPublicKey):
        key.verify(csr.signature, csr.tbs_certrequest_bytes, padding.PKCS1v15(), algorithm)
    elif isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(csr.signature, csr.tbs_certrequest_bytes, ec.ECDSA(algorithm))
    else:
        raise TypeError("key of the certification request")


def _challenge(csr: x509.CertificateSigningRequest) -> str:
    try:
        attribute = csr.attributes.get_attribute_for_oid(AttributeOID.CHALLENGE_PASSWORD)
    except x509.AttributeNotFound:
        return ""
    return attribute.value.decode("utf-8", "replace")


def _attribute(signed: SignedMessage, dotted: str) -> bytes:
    value = signed.single(der.oid(dotted))
    if value is None:
        raise CmsError("malformed", "a SCEP attribute is missing")
    return value


def _text(value: bytes) -> str:
    reader = ber.BerReader(value)
    element = reader.root(value[0])
    text = reader.data[element.body : element.end]
    printable = all(0x20 <= byte < 0x7F for byte in text)
    if element.tag not in _TEXT_TAGS or not printable or not 1 <= len(text) <= MAX_TRANSACTION_ID:
        raise CmsError("malformed", "unreadable SCEP attribute")
    return text.decode("ascii")

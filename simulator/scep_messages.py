"""SCEP messages, the client's side of RFC 8894 §3: building requests, reading CertRep."""

from __future__ import annotations

import os
from dataclasses import dataclass

from asn1crypto import cms as asn1_cms
from asn1crypto import core as asn1_core
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import AttributeOID

from . import cms, envelopes
from .cms import Identity
from .errors import ScepProtocolError, ScepRefused, SignatureInvalid

MESSAGE_TYPE = "2.16.840.1.113733.1.9.2"
PKI_STATUS = "2.16.840.1.113733.1.9.3"
FAIL_INFO = "2.16.840.1.113733.1.9.4"
SENDER_NONCE = "2.16.840.1.113733.1.9.5"
RECIPIENT_NONCE = "2.16.840.1.113733.1.9.6"
TRANSACTION_ID = "2.16.840.1.113733.1.9.7"
CHALLENGE_PASSWORD = "1.2.840.113549.1.9.7"  # noqa: S105 - an object identifier
FAIL_INFO_TEXT = "1.3.6.1.5.5.7.24.1"

CERT_REP, RENEWAL_REQ, PKCS_REQ = "3", "17", "19"
FAILURES = {
    "0": "badAlg",
    "1": "badMessageCheck",
    "2": "badRequest",
    "3": "badTime",
    "4": "badCertId",
}


@dataclass(frozen=True)
class Request:
    """One message as sent, with what its answer must repeat."""

    body: bytes
    transaction_id: str
    sender_nonce: bytes
    signer: Identity


@dataclass(frozen=True)
class Reply:
    """A checked CertRep: the issued certificates, or None while the request is pending."""

    certificates: tuple[x509.Certificate, ...] | None
    outer_certificates: tuple[x509.Certificate, ...]


def transaction_id_for(public_key: rsa.RSAPublicKey) -> str:
    """Constant per key, as Apple's and most other clients do it."""
    spki = public_key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return cms.digest("sha256", spki).hex().upper()


def build_csr(
    key: rsa.RSAPrivateKey, subject: x509.Name, challenge: str | None, *, digest: str = "sha256"
) -> bytes:
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    if challenge is not None:
        builder = builder.add_attribute(AttributeOID.CHALLENGE_PASSWORD, challenge.encode())
    algorithm = hashes.SHA256() if digest == "sha256" else hashes.SHA512()
    return builder.sign(key, algorithm).public_bytes(serialization.Encoding.DER)


def build_request(
    payload: bytes,
    *,
    message_type: str,
    transaction_id: str,
    signer: Identity,
    recipient: x509.Certificate,
    cipher: str,
    digest: str,
    nonce_size: int,
    challenge: str | None,
) -> Request:
    """Wrap `payload` as pkiMessage: enveloped to the CA, signed by `signer` (RFC 8894 §3.2)."""
    nonce = os.urandom(nonce_size)
    attributes: dict[str, asn1_core.Asn1Value] = {
        MESSAGE_TYPE: asn1_core.PrintableString(message_type),
        TRANSACTION_ID: asn1_core.PrintableString(transaction_id),
        SENDER_NONCE: asn1_core.OctetString(nonce),
    }
    if challenge is not None:
        # mdmclient repeats the challenge here; servers must ignore unknown attributes
        attributes[CHALLENGE_PASSWORD] = asn1_core.PrintableString(challenge)
    sealed = envelopes.seal(payload, recipient, cipher=cipher)
    body = cms.sign(sealed, signer, algorithm=digest, attributes=attributes)
    return Request(body, transaction_id, nonce, signer)


def read_reply(message: bytes, request: Request, authorities: list[x509.Certificate]) -> Reply:
    """Check a CertRep's signature, signer and nonces, then open it.

    Raises ScepRefused on FAILURE and ScepProtocolError for anything a device must not accept.
    """
    try:
        signed = cms.verify_attached(message)
    except SignatureInvalid as error:
        raise ScepProtocolError(f"the reply cannot be trusted: {error}") from error
    if signed.signer not in authorities:
        raise ScepProtocolError("the reply is not signed by the CA")
    _check_attributes(signed.attributes, request)
    status = signed.attributes[PKI_STATUS]
    if status == "2":
        if FAIL_INFO not in signed.attributes:
            raise ScepProtocolError("FAILURE without failInfo")
        reason = str(signed.attributes[FAIL_INFO])
        raise ScepRefused(
            FAILURES.get(reason, reason), str(signed.attributes.get(FAIL_INFO_TEXT) or "")
        )
    if status == "3":
        return Reply(None, signed.certificates)
    if status != "0":
        raise ScepProtocolError(f"unknown pkiStatus {status!r}")
    try:
        opened = envelopes.unseal(signed.content, request.signer)
        issued = read_certificates(opened)
    except (SignatureInvalid, ValueError) as error:
        raise ScepProtocolError(f"the certificate cannot be read: {error}") from error
    return Reply(issued, signed.certificates)


def _check_attributes(attributes: dict[str, object], request: Request) -> None:
    # a FAILURE without full attributes crashed iOS 10, so every reply is held to them
    if attributes.get(MESSAGE_TYPE) != CERT_REP:
        raise ScepProtocolError("the reply is not a CertRep")
    if attributes.get(TRANSACTION_ID) != request.transaction_id:
        raise ScepProtocolError("the reply belongs to another transaction")
    if attributes.get(RECIPIENT_NONCE) != request.sender_nonce:
        raise ScepProtocolError("the reply does not repeat our nonce")
    if not attributes.get(SENDER_NONCE) or PKI_STATUS not in attributes:
        raise ScepProtocolError("the reply lacks senderNonce or pkiStatus")


def read_certificates(degenerate: bytes) -> tuple[x509.Certificate, ...]:
    """The certificates of a certs-only SignedData, in the order sent."""
    info = asn1_cms.ContentInfo.load(degenerate)
    if info["content_type"].native != "signed_data":
        raise ValueError("not SignedData")
    found = info["content"]["certificates"] or []
    return tuple(x509.load_der_x509_certificate(choice.chosen.dump()) for choice in found)

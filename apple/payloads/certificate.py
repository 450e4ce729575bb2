"""Certificate payloads: trust anchors as root payloads, all others as pkcs1 payloads."""

from __future__ import annotations

import uuid
from typing import Any

from cryptography import x509

from apple.payloads.base import PayloadError, common

ROOT = "com.apple.security.root"
PKCS1 = "com.apple.security.pkcs1"


def build(
    *, der: bytes, identifier: str, payload_uuid: uuid.UUID, display_name: str
) -> dict[str, Any]:
    """Return the payload that makes the device know the certificate `der`.

    A self-issued certificate becomes a root payload (the device trusts it), any other one a
    pkcs1 payload. Raises PayloadError when `der` is not a certificate.
    """
    try:
        certificate = x509.load_der_x509_certificate(der)
        is_root = certificate.issuer == certificate.subject
    except ValueError:
        raise PayloadError("not a DER certificate") from None
    payload = common(
        payload_type=ROOT if is_root else PKCS1,
        identifier=identifier,
        payload_uuid=payload_uuid,
        display_name=display_name,
    )
    payload["PayloadContent"] = der
    return payload

"""The SCEP payload, by which a device makes its own key and asks for its certificate."""

from __future__ import annotations

import hashlib
import uuid
from typing import Any

from apple.payloads.base import common, text, url

PAYLOAD_TYPE = "com.apple.security.scep"
KEY_SIZE = 2048
# Bits of "Key Usage": 1 signs, 4 encrypts. Profiles may later be encrypted to the identity.
SIGN_AND_ENCRYPT = 5
RETRIES = 3
RETRY_DELAY_SECONDS = 10


def build(
    *,
    server_url: str,
    challenge: str,
    ca_der: bytes,
    organization: str,
    common_name: str,
    is_mac: bool,
    identifier: str,
    payload_uuid: uuid.UUID,
    display_name: str,
) -> dict[str, Any]:
    """Return the payload. The subject is a courtesy: the server decides what it certifies."""
    content: dict[str, Any] = {
        "URL": url("SCEP URL", server_url),
        "Name": text("SCEP name", display_name),
        "Subject": [
            [["O", text("organization", organization)]],
            [["CN", text("common name", common_name, 64)]],
        ],
        "Challenge": text("challenge", challenge),
        "Keysize": KEY_SIZE,
        "Key Type": "RSA",
        "Key Usage": SIGN_AND_ENCRYPT,
        "CAFingerprint": ca_fingerprint(ca_der),
        "Retries": RETRIES,
        "RetryDelay": RETRY_DELAY_SECONDS,
    }
    if is_mac:
        content["KeyIsExtractable"] = False
    payload = common(
        payload_type=PAYLOAD_TYPE,
        identifier=identifier,
        payload_uuid=payload_uuid,
        display_name=display_name,
    )
    payload["PayloadContent"] = content
    return payload


def ca_fingerprint(ca_der: bytes) -> bytes:
    """Return the SHA-1 of the CA certificate: the one digest that every OS version compares."""
    return hashlib.sha1(ca_der, usedforsecurity=False).digest()

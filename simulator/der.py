"""The few DER building blocks that the CMS writers share."""

from __future__ import annotations

from asn1crypto import core as asn1_core

SEQUENCE, SET, EXPLICIT_0, IMPLICIT_0 = 0x30, 0x31, 0xA0, 0x80


def encode(tag: int, body: bytes) -> bytes:
    """Tag, definite length, body."""
    if len(body) < 0x80:
        return bytes([tag, len(body)]) + body
    size = len(body)
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + body


def oid(dotted: str) -> bytes:
    return bytes(asn1_core.ObjectIdentifier(dotted).dump())


DATA = oid("1.2.840.113549.1.7.1")
SIGNED_DATA = oid("1.2.840.113549.1.7.2")
ENVELOPED_DATA = oid("1.2.840.113549.1.7.3")
RSA_ENCRYPTION = encode(SEQUENCE, oid("1.2.840.113549.1.1.1") + b"\x05\x00")

"""A writer for the few DER constructions that CMS and SCEP messages are made of."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache

from core.pki import ber


def element(tag: int, contents: bytes) -> bytes:
    size = len(contents)
    if size < 0x80:
        return bytes((tag, size)) + contents
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + contents


def sequence(*parts: bytes) -> bytes:
    return element(ber.SEQUENCE, b"".join(parts))


def set_of(parts: Iterable[bytes]) -> bytes:
    """DER orders the elements of a SET OF by their encodings (X.690 §11.6)."""
    return element(ber.SET, b"".join(sorted(parts)))


def context(number: int, contents: bytes, *, constructed: bool = True) -> bytes:
    return element(0x80 | number | (ber.CONSTRUCTED if constructed else 0), contents)


def integer(value: int) -> bytes:
    return element(ber.INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def octet_string(value: bytes) -> bytes:
    return element(ber.OCTET_STRING, value)


def printable_string(value: str) -> bytes:
    return element(ber.PRINTABLE_STRING, value.encode("ascii"))


def utf8_string(value: str) -> bytes:
    return element(ber.UTF8_STRING, value.encode())


def null() -> bytes:
    return b"\x05\x00"


@lru_cache(maxsize=256)
def oid(dotted: str) -> bytes:
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    encoded = bytearray()
    for arc in (first * 40 + second, *rest):
        septets = [arc & 0x7F]
        while arc := arc >> 7:
            septets.append(arc & 0x7F | 0x80)
        encoded += bytes(reversed(septets))
    return element(ber.OID, bytes(encoded))


def time(value: datetime) -> bytes:
    """UTCTime until 2049, GeneralizedTime after it (RFC 5652 §11.3)."""
    value = value.astimezone(UTC)
    if 1950 <= value.year < 2050:
        return element(ber.UTC_TIME, value.strftime("%y%m%d%H%M%SZ").encode())
    return element(0x18, value.strftime("%Y%m%d%H%M%SZ").encode())


def algorithm(dotted: str, parameters: bytes = b"") -> bytes:
    return sequence(oid(dotted), parameters)

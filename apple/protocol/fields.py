"""Typed access to the keys of a received dictionary: strict for identities, tidy for labels."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from apple.protocol.errors import ProtocolError

LABEL_LIMIT = 255
_INT64 = 2**63

# Control characters, and the bidirectional overrides that can make one row of a list look like
# another one.
_UNSAFE = re.compile("[\\s\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]+")
_TOKEN = re.compile(r"[\x21-\x7e]+")


def clean(value: str, limit: int = LABEL_LIMIT) -> str:
    """Return device-made text fit for storing and showing: one line, no controls, cut."""
    return _UNSAFE.sub(" ", value[: 4 * limit]).strip()[:limit]


def label(body: Mapping[str, Any], key: str, limit: int = LABEL_LIMIT) -> str:
    """Return descriptive text, or "" when it is absent; a long one is cut, not refused."""
    value = body.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ProtocolError(f"{key} is not a string")
    return clean(value, limit)


def token(body: Mapping[str, Any], key: str, limit: int) -> str:
    """Return identifying text, or "" when it is absent or empty; printable ASCII, never changed."""
    value = body.get(key)
    if value is None or value == "":
        return ""
    if not isinstance(value, str):
        raise ProtocolError(f"{key} is not a string")
    if len(value) > limit or not _TOKEN.fullmatch(value):
        raise ProtocolError(f"{key} is not an identifier of at most {limit} characters")
    return value


def required_token(body: Mapping[str, Any], key: str, limit: int) -> str:
    value = token(body, key, limit)
    if not value:
        raise ProtocolError(f"{key} is missing")
    return value


def data(body: Mapping[str, Any], key: str, limit: int) -> bytes | None:
    """Return bytes, or None when the key is absent."""
    value = body.get(key)
    if value is None:
        return None
    if not isinstance(value, bytes):
        raise ProtocolError(f"{key} is not data")
    if len(value) > limit:
        raise ProtocolError(f"{key} exceeds {limit} bytes")
    return value


def flag(body: Mapping[str, Any], key: str) -> bool:
    """Return a boolean; absent means false."""
    value = body.get(key, False)
    if not isinstance(value, bool):
        raise ProtocolError(f"{key} is not a boolean")
    return value


def to_text(value: object, limit: int = LABEL_LIMIT) -> str | None:
    return clean(value, limit) if isinstance(value, str) else None


def to_boolean(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def to_integer(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if -_INT64 <= value < _INT64 else None


def to_real(value: object) -> float | None:
    """Return a finite number: JSON columns know neither NaN nor infinity."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def to_moment(value: object) -> str | None:
    """Return a property list date, which is UTC without saying so, as ISO 8601 text."""
    if not isinstance(value, datetime):
        return None
    return value.replace(tzinfo=UTC).isoformat()

"""What every payload has in common: its four fixed keys, and checks on what goes inside."""

from __future__ import annotations

import ipaddress
import uuid
from typing import Any
from urllib.parse import urlsplit

TEXT_LIMIT = 255


class PayloadError(ValueError):
    """The server tried to build a payload that no device would accept."""


def common(
    *, payload_type: str, identifier: str, payload_uuid: uuid.UUID, display_name: str
) -> dict[str, Any]:
    """Return the keys that every payload opens with."""
    return {
        "PayloadType": payload_type,
        "PayloadVersion": 1,
        "PayloadIdentifier": text("PayloadIdentifier", identifier),
        "PayloadUUID": str(payload_uuid).upper(),
        "PayloadDisplayName": text("PayloadDisplayName", display_name),
    }


def text(name: str, value: str, limit: int = TEXT_LIMIT) -> str:
    """Return `value` if it can be written into a profile; XML cannot hold control characters."""
    if not value or len(value) > limit or any(ord(char) < 32 for char in value):
        raise PayloadError(f"{name} must be one line of 1 to {limit} characters")
    return value


def url(name: str, value: str) -> str:
    """Return `value` if devices may be sent there: https, or plain http to this very machine."""
    try:
        parts = urlsplit(value)
        host = parts.hostname or ""
        parts.port  # noqa: B018 - reading it checks it
    except ValueError:
        raise PayloadError(f"{name} is not a URL") from None
    is_plain = parts.scheme == "http" and _is_loopback(host)
    if not host or parts.fragment or parts.username or not (parts.scheme == "https" or is_plain):
        raise PayloadError(f"{name} must be an https URL")
    return value


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False

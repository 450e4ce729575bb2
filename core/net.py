"""Where a request comes from, and how much of its body we are willing to read."""

from __future__ import annotations

import ipaddress
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from core.errors import DomainError

_CHUNK = 65536


class BodyTooLarge(DomainError):
    code = "body_too_large"
    status = 413
    message = "The request body is too large."


class UnsupportedEncoding(DomainError):
    code = "unsupported_encoding"
    status = 415
    message = "A content encoding is not accepted here."


class LengthRequired(DomainError):
    code = "length_required"
    status = 411
    message = "The size of the request body must be declared."


def is_trusted_proxy(request: HttpRequest) -> bool:
    """Say whether the connection itself comes from a configured proxy."""
    try:
        peer = ipaddress.ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        return False
    return any(peer in network for network in settings.MUSTER_TRUSTED_PROXIES)


def client_ip(request: HttpRequest) -> str:
    """Return the address of the client.

    X-Forwarded-For is read from the right, and only as far as trusted proxies wrote it; anybody
    else's header is ignored.
    """
    address = request.META.get("REMOTE_ADDR", "")
    if not is_trusted_proxy(request):
        return address
    hops = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",")]
    for hop in reversed([hop for hop in hops if hop]):
        try:
            parsed = ipaddress.ip_address(hop)
        except ValueError:
            return address
        address = str(parsed)
        if not any(parsed in network for network in settings.MUSTER_TRUSTED_PROXIES):
            break
    return address


def network_of(ip: str) -> str:
    """Return the network that budgets are counted on: /24 of IPv4, /56 of IPv6."""
    try:
        parsed = ipaddress.ip_address(ip)
    except ValueError:
        return ip
    prefix = 24 if parsed.version == 4 else 56
    return str(ipaddress.ip_network(f"{parsed}/{prefix}", strict=False))


def read_body(request: HttpRequest, limit: int) -> bytes:
    """Read at most `limit` bytes of body, refusing before more is buffered.

    Raises BodyTooLarge (413), UnsupportedEncoding (415), or LengthRequired (411).
    """
    if request.headers.get("Content-Encoding", "identity").lower() not in ("", "identity"):
        raise UnsupportedEncoding
    declared = request.META.get("CONTENT_LENGTH") or ""
    if declared.isdigit() and int(declared) > limit:
        raise BodyTooLarge
    stream, chunks, size = _stream_of(request), [], 0
    while chunk := stream.read(min(_CHUNK, limit + 1 - size)):
        size += len(chunk)
        if size > limit:
            raise BodyTooLarge
        chunks.append(chunk)
    return b"".join(chunks)


def _stream_of(request: HttpRequest) -> Any:
    # Django takes a body without a declared size for an empty one; a server that ends its input
    # by itself (granian does) lets a chunked one be read to its end.
    if "chunked" not in request.headers.get("Transfer-Encoding", "").lower():
        return request
    if not request.META.get("wsgi.input_terminated"):
        raise LengthRequired
    return request.META["wsgi.input"]

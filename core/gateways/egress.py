"""Guards requests to addresses that somebody else wrote: only the open internet, decided once.

The name is resolved here, every address is checked, and the connection goes to the address that
was checked: a name that points elsewhere a moment later is never asked again.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from django.conf import settings

MAX_URL = 2048
RESOLVE_SECONDS = 5.0
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class EgressRefused(Exception):
    """The address is none that a stranger may have us call."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where to connect: `url` has the checked address in place of the name; certificate and Host
    header are for `host` all the same."""

    url: str
    host: str
    authority: str
    address: str


def check_url(url: str) -> tuple[str, int]:
    """Return host and port of an https URL without tricks in it. Raises EgressRefused."""
    if len(url) > MAX_URL or any(ord(character) <= 32 or character == "\\" for character in url):
        raise EgressRefused("not a plain address")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or 443
    except ValueError as error:
        raise EgressRefused("not an address") from error
    if parts.scheme != "https" or not host or not host.isascii() or "@" in parts.netloc:
        raise EgressRefused("only https addresses without a user name")
    if parts.fragment or (port != 443 and not settings.MUSTER_EGRESS_NETWORKS):
        raise EgressRefused("only port 443")
    return host, port


async def pin(url: str) -> Target:
    """Resolve an https URL and return where to connect. Raises EgressRefused or OSError."""
    host, port = check_url(url)
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(RESOLVE_SECONDS):
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    # One bad address among good ones is no accident.
    if not addresses or not all(map(is_open, addresses)):
        raise EgressRefused("the name leads into a private network")
    address = addresses[0]
    literal = f"[{address}]" if address.version == 6 else str(address)
    parts = urlsplit(url)
    pinned = urlunsplit(("https", f"{literal}:{port}", parts.path, parts.query, ""))
    named = f"[{host}]" if ":" in host else host
    return Target(pinned, host, named if port == 443 else f"{named}:{port}", str(address))


def is_open(address: _Address) -> bool:
    """Say whether an address is on the open internet, or in a network the operator allows."""
    if any(address in network for network in settings.MUSTER_EGRESS_NETWORKS):
        return True
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    inner = _embedded(address)
    return inner is None or is_open(inner)


def _embedded(address: _Address) -> ipaddress.IPv4Address | None:
    """Return the IPv4 address that an IPv6 one leads to, if it carries one."""
    if not isinstance(address, ipaddress.IPv6Address):
        return None
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else None)

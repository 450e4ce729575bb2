"""Connections to Apple's push service, one per push certificate."""

from __future__ import annotations

from contextlib import AbstractContextManager
from urllib.parse import urlsplit

import httpx2
from django.conf import settings

from apple.gateways.apns_tls import Credentials, client_context
from core.gateways import lines
from core.gateways.lines import EXCHANGE_SECONDS, Line, causes, close_lines, is_reset, runner

__all__ = [
    "PUSH_SECONDS",
    "causes",
    "close_lines",
    "is_loopback",
    "is_reset",
    "line_of",
    "on_line",
    "runner",
]

PUSH_SECONDS = EXCHANGE_SECONDS


def is_loopback() -> bool:
    """Say whether pushes go to this very machine, that is to a fake, and not to Apple."""
    return (urlsplit(settings.MUSTER_APNS_URL).hostname or "") in ("localhost", "127.0.0.1", "::1")


def on_line(credentials: Credentials) -> AbstractContextManager[httpx2.AsyncClient]:
    return lines.on_line(_name(credentials), lambda: _open(credentials))


def line_of(credentials: Credentials) -> Line:
    """Return the line of a certificate, opened when first needed.

    Raises OSError, ValueError or httpx2.InvalidURL when settings or certificate are unusable.
    """
    return lines.line_of(_name(credentials), lambda: _open(credentials))


def _name(credentials: Credentials) -> tuple[str, ...]:
    base_url, ca_file = settings.MUSTER_APNS_URL, settings.MUSTER_APNS_CA_FILE
    return ("apns", base_url, ca_file, credentials.sha256)


def _open(credentials: Credentials) -> httpx2.AsyncClient:
    base_url, ca_file = settings.MUSTER_APNS_URL, settings.MUSTER_APNS_CA_FILE
    if urlsplit(base_url).scheme != "https":
        raise ValueError("pushes are sent over https only")
    return httpx2.AsyncClient(
        base_url=base_url,
        http1=False,
        http2=True,
        verify=client_context(credentials, ca_file=ca_file),
        trust_env=not is_loopback(),
        timeout=httpx2.Timeout(
            lines.READ_SECONDS, connect=lines.CONNECT_SECONDS, pool=PUSH_SECONDS
        ),
        limits=httpx2.Limits(max_connections=None, keepalive_expiry=lines.KEEP_IDLE_SECONDS),
    )

"""One HTTPS request to a service of somebody else: bounded in time and size, never an exception."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import ssl
from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import httpx2

from core import clock
from core.gateways import lines

SECONDS = 15.0
MAX_ANSWER = 16_384
MAX_RETRY_AFTER = 24 * 3600


@dataclass(frozen=True, slots=True)
class Call:
    """A POST. `headers` and `content` may hold secrets and are no part of a repr."""

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    content: bytes = field(repr=False)
    extensions: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back; status 0 is nothing, and `reason` says why."""

    status: int
    reason: str = ""
    content: bytes = b""
    retry_after: int | None = None

    @property
    def document(self) -> dict[str, Any]:
        try:
            found = json.loads(self.content) if self.content else {}
        except (ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def is_absent_or_busy(self) -> bool:
        return self.status in (0, 408, 425, 429) or self.status >= 500


def post(name: Hashable, opener: Callable[[], httpx2.AsyncClient], call: Call) -> Reply:
    """Send one request over the line of that name and read at most 16 KB of its answer.

    Blocks for 15 s at most. Never raises.
    """
    try:
        return lines.runner().run(_bounded(name, opener, call), SECONDS + 5)
    except FutureTimeout:
        return Reply(0, "timeout")


async def _bounded(name: Hashable, opener: Callable[[], httpx2.AsyncClient], call: Call) -> Reply:
    try:
        async with asyncio.timeout(SECONDS):
            try:
                return await _exchange(name, opener, call)
            except (httpx2.ReadError, httpx2.WriteError, httpx2.RemoteProtocolError) as error:
                if lines.is_reset(error):
                    raise
                # A kept connection that the other side has closed meanwhile: once more, on a new
                # one. The collapse key of the message makes a second copy replace the first.
                return await _exchange(name, opener, call)
    except (httpx2.HTTPError, httpx2.StreamError, httpx2.InvalidURL) as error:
        return Reply(0, _reason_of(error))
    except (TimeoutError, OSError, ValueError) as error:
        return Reply(0, _reason_of(error))


async def _exchange(name: Hashable, opener: Callable[[], httpx2.AsyncClient], call: Call) -> Reply:
    with lines.on_line(name, opener) as http:
        async with http.stream(
            "POST",
            call.url,
            content=call.content,
            headers=dict(call.headers),
            extensions=dict(call.extensions),
            follow_redirects=False,
        ) as answer:
            content = b""
            async for chunk in answer.aiter_raw():
                content += chunk
                if len(content) > MAX_ANSWER:
                    return Reply(0, "answer_too_large")
            retry_after = seconds_of(answer.headers.get("retry-after", ""))
            return Reply(answer.status_code, "", content, retry_after)


def client(*, base_url: str = "", ca_file: str = "", trust_env: bool = True) -> httpx2.AsyncClient:
    """Return a client with one connection, HTTP/2 where the other side can, verified TLS only."""
    if base_url and urlsplit(base_url).scheme != "https":
        raise ValueError("pushes are sent over https only")
    return httpx2.AsyncClient(
        base_url=base_url,
        http2=True,
        verify=ssl.create_default_context(cafile=ca_file or None),
        trust_env=trust_env,
        timeout=httpx2.Timeout(lines.READ_SECONDS, connect=lines.CONNECT_SECONDS, pool=SECONDS),
        limits=httpx2.Limits(max_connections=1, keepalive_expiry=lines.KEEP_IDLE_SECONDS),
    )


def is_loopback(url: str) -> bool:
    return (urlsplit(url).hostname or "") in ("localhost", "127.0.0.1", "::1")


def seconds_of(retry_after: str) -> int | None:
    """Read Retry-After, seconds or a date (RFC 9110 §10.2.3); never more than a day."""
    text = retry_after.strip()
    if text.isascii() and text.isdecimal():
        return min(int(text[:9]), MAX_RETRY_AFTER)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
    return min(max(int((moment - clock.now()).total_seconds()), 0), MAX_RETRY_AFTER)


def _reason_of(error: BaseException) -> str:
    for cause in lines.causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return "server_untrusted"
        if isinstance(cause, httpx2.TimeoutException | TimeoutError):
            return "timeout"
    return "protocol" if isinstance(error, httpx2.ProtocolError) else "connection"

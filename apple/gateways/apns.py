"""Sends wake-ups to Apple's push service.

A single push and a batch of thousands share one connection per certificate, each push has its
deadline, and no error of a library comes out of here.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import ssl
import uuid
from collections.abc import Sequence
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any

import httpx2
import structlog

from apple.gateways.apns_lines import (
    PUSH_SECONDS,
    causes,
    close_lines,
    is_loopback,
    is_reset,
    line_of,
    on_line,
    runner,
)
from apple.gateways.apns_tls import Credentials
from core import clock

__all__ = ["Credentials", "Push", "PushResult", "close", "is_loopback", "send"]

CONCURRENCY = 50
# A path that answers nothing must not hold a worker for the whole batch.
GIVE_UP_AFTER = 2 * CONCURRENCY
MAX_ANSWER = 4096
EXPIRES_AFTER = dt.timedelta(days=7)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Push:
    """One wake-up. Token and magic belong to the same channel and are secrets."""

    token: bytes = field(repr=False)
    magic: str = field(repr=False)
    topic: str


@dataclass(frozen=True, slots=True)
class PushResult:
    """What Apple answered; `status` is 0 when no answer came, and `reason` then says why:
    timeout, connection, protocol, server_untrusted, certificate_refused, certificate_unusable,
    answer_too_large or not_tried."""

    status: int
    reason: str = ""
    timestamp: dt.datetime | None = None
    retry_after: int | None = None

    @property
    def is_accepted(self) -> bool:
        return self.status == 200


def send(credentials: Credentials, pushes: Sequence[Push]) -> list[PushResult]:
    """Send all pushes, at most 50 at a time, and return their results in the same order.

    Blocks until every push has an answer or has run out of time (30 s each). Never raises.
    """
    if not pushes:
        return []
    patience = PUSH_SECONDS * (2 + len(pushes) // CONCURRENCY)
    try:
        return runner().run(_send_all(credentials, list(pushes)), patience)
    except FutureTimeout:
        return [PushResult(0, "timeout")] * len(pushes)


def close() -> None:
    """Close the connections of this process; the next push opens new ones."""
    runner().run(close_lines(), PUSH_SECONDS)


async def _send_all(credentials: Credentials, pushes: list[Push]) -> list[PushResult]:
    try:
        line_of(credentials)
    except (OSError, ValueError, httpx2.InvalidURL) as error:
        log.error("apns.certificate_unusable", error=type(error).__name__)
        return [PushResult(0, "certificate_unusable")] * len(pushes)
    gate, failures = asyncio.Semaphore(CONCURRENCY), 0

    async def one(push: Push) -> PushResult:
        nonlocal failures
        async with gate:
            if failures >= GIVE_UP_AFTER:
                return PushResult(0, "not_tried")
            result = await _send_one(credentials, push)
            failures = 0 if result.status else failures + 1
            return result

    return list(await asyncio.gather(*map(one, pushes)))


async def _send_one(credentials: Credentials, push: Push) -> PushResult:
    try:
        async with asyncio.timeout(PUSH_SECONDS):
            try:
                return await _exchange(credentials, push)
            except (httpx2.ReadError, httpx2.WriteError, httpx2.RemoteProtocolError) as error:
                if is_reset(error):
                    raise
                # The service hangs up from time to time (GOAWAY). What it has answered is
                # settled; this one has no answer, and waking a device twice does no harm.
                return await _exchange(credentials, push)
    except (httpx2.HTTPError, httpx2.StreamError, TimeoutError, OSError) as error:
        return PushResult(0, _reason_of(error))


async def _exchange(credentials: Credentials, push: Push) -> PushResult:
    headers = {
        "apns-push-type": "mdm",
        "apns-topic": push.topic,
        "apns-priority": "10",
        "apns-expiration": str(int((clock.now() + EXPIRES_AFTER).timestamp())),
        "apns-id": str(uuid.uuid4()),
    }
    body = json.dumps({"mdm": push.magic}).encode()
    path = f"/3/device/{push.token.hex()}"
    with on_line(credentials) as http:
        async with http.stream("POST", path, content=body, headers=headers) as answer:
            content = b""
            async for chunk in answer.aiter_raw():
                content += chunk
                if len(content) > MAX_ANSWER:
                    return PushResult(0, "answer_too_large")
            return _read(answer.status_code, answer.headers.get("retry-after", ""), content)


def _read(status: int, retry_after: str, content: bytes) -> PushResult:
    try:
        document = json.loads(content) if content else {}
    except ValueError:
        document = {}
    fields = document if isinstance(document, dict) else {}
    reason = fields.get("reason")
    return PushResult(
        status,
        reason if isinstance(reason, str) and reason.isalnum() and len(reason) <= 60 else "",
        _moment(fields.get("timestamp")),
        _seconds(retry_after),
    )


def _moment(milliseconds: Any) -> dt.datetime | None:
    if not isinstance(milliseconds, int) or isinstance(milliseconds, bool):
        return None
    try:
        return dt.datetime.fromtimestamp(milliseconds / 1000, dt.UTC)
    except (OverflowError, ValueError, OSError):
        return None


def _seconds(retry_after: str) -> int | None:
    """Read Retry-After: seconds, or a date (RFC 9110 §10.2.3)."""
    text = retry_after.strip()
    if text.isdecimal():
        return int(text[:9])
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
    return max(int((moment - clock.now()).total_seconds()), 0)


def _reason_of(error: BaseException) -> str:
    for cause in causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return "server_untrusted"
        # An alert of the other side about us, for example that our certificate was revoked.
        if isinstance(cause, ssl.SSLError) and "ALERT" in (cause.reason or ""):
            return "certificate_refused"
        if isinstance(cause, httpx2.TimeoutException | TimeoutError):
            return "timeout"
    return "protocol" if isinstance(error, httpx2.ProtocolError) else "connection"

"""Sends wake-ups to Apple's push service over long-lived HTTP/2 connections.

One client per push certificate and process, on an event loop of its own thread: a single push and
a batch of thousands share it, each with a deadline, and no error of a library comes out of here.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import logging
import os
import ssl
import threading
import uuid
from collections import OrderedDict
from collections.abc import Coroutine, Iterator, Sequence
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit

import h2.events
import httpx2
import structlog
from django.conf import settings

from apple.gateways.apns_tls import Credentials, client_context
from core import clock

CONCURRENCY = 50
CONNECT_SECONDS, READ_SECONDS, PUSH_SECONDS = 10.0, 10.0, 30.0
# A path that answers nothing must not hold a worker for the whole batch.
GIVE_UP_AFTER = 2 * CONCURRENCY
KEEP_IDLE_SECONDS = 1800
MAX_CLIENTS = 64
MAX_ANSWER = 4096
EXPIRES_AFTER = dt.timedelta(days=7)

log = structlog.get_logger(__name__)
for _library in ("httpx2", "httpcore2", "hpack"):
    # They would write every URL, and with it the push token, into the log.
    logging.getLogger(_library).setLevel(logging.WARNING)

_Answer = TypeVar("_Answer")


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


def is_loopback() -> bool:
    """Say whether pushes go to this very machine, that is to a fake, and not to Apple."""
    return (urlsplit(settings.MUSTER_APNS_URL).hostname or "") in ("localhost", "127.0.0.1", "::1")


def send(credentials: Credentials, pushes: Sequence[Push]) -> list[PushResult]:
    """Send all pushes, at most 50 at a time, and return their results in the same order.

    Blocks until every push has an answer or has run out of time (30 s each). Never raises.
    """
    if not pushes:
        return []
    patience = PUSH_SECONDS * (2 + len(pushes) // CONCURRENCY)
    try:
        return _runner().run(_send_all(credentials, list(pushes)), patience)
    except FutureTimeout:
        return [PushResult(0, "timeout")] * len(pushes)


def close() -> None:
    """Close the connections of this process; the next push opens new ones."""
    _runner().run(_close_clients(), PUSH_SECONDS)


async def _send_all(credentials: Credentials, pushes: list[Push]) -> list[PushResult]:
    try:
        client = await _client(credentials)
    except (OSError, ValueError, httpx2.InvalidURL) as error:
        log.error("apns.certificate_unusable", error=type(error).__name__)
        return [PushResult(0, "certificate_unusable")] * len(pushes)
    gate, failures = asyncio.Semaphore(CONCURRENCY), 0

    async def one(push: Push) -> PushResult:
        nonlocal failures
        async with gate:
            if failures >= GIVE_UP_AFTER:
                return PushResult(0, "not_tried")
            result = await _send_one(client, push)
            failures = 0 if result.status else failures + 1
            return result

    return list(await asyncio.gather(*map(one, pushes)))


async def _send_one(client: httpx2.AsyncClient, push: Push) -> PushResult:
    try:
        async with asyncio.timeout(PUSH_SECONDS):
            try:
                return await _exchange(client, push)
            except httpx2.RemoteProtocolError as error:
                if not _is_goaway(error):
                    raise
                # The service hangs up from time to time. What it has answered is settled; this
                # one has no answer, and waking a device twice does no harm.
                return await _exchange(client, push)
    except (httpx2.HTTPError, httpx2.StreamError, TimeoutError, OSError) as error:
        return PushResult(0, _reason_of(error))


async def _exchange(client: httpx2.AsyncClient, push: Push) -> PushResult:
    headers = {
        "apns-push-type": "mdm",
        "apns-topic": push.topic,
        "apns-priority": "10",
        "apns-expiration": str(int((clock.now() + EXPIRES_AFTER).timestamp())),
        "apns-id": str(uuid.uuid4()),
    }
    body = json.dumps({"mdm": push.magic}).encode()
    path = f"/3/device/{push.token.hex()}"
    async with client.stream("POST", path, content=body, headers=headers) as answer:
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


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


def _is_goaway(error: BaseException) -> bool:
    said = [argument for cause in _causes(error) for argument in cause.args]
    return any(isinstance(argument, h2.events.ConnectionTerminated) for argument in said)


def _reason_of(error: BaseException) -> str:
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return "server_untrusted"
        # An alert of the other side about us, for example that our certificate was revoked.
        if isinstance(cause, ssl.SSLError) and "ALERT" in (cause.reason or ""):
            return "certificate_refused"
        if isinstance(cause, httpx2.TimeoutException | TimeoutError):
            return "timeout"
    return "protocol" if isinstance(error, httpx2.ProtocolError) else "connection"


_clients: OrderedDict[tuple[str, str, str], httpx2.AsyncClient] = OrderedDict()


async def _client(credentials: Credentials) -> httpx2.AsyncClient:
    base_url, ca_file = settings.MUSTER_APNS_URL, settings.MUSTER_APNS_CA_FILE
    if urlsplit(base_url).scheme != "https":
        raise ValueError("pushes are sent over https only")
    name = (base_url, ca_file, credentials.sha256)
    if name in _clients:
        _clients.move_to_end(name)
        return _clients[name]
    client = _clients[name] = httpx2.AsyncClient(
        base_url=base_url,
        http1=False,
        http2=True,
        verify=client_context(credentials, ca_file=ca_file),
        trust_env=not is_loopback(),
        timeout=httpx2.Timeout(READ_SECONDS, connect=CONNECT_SECONDS, pool=PUSH_SECONDS),
        limits=httpx2.Limits(max_connections=4, keepalive_expiry=KEEP_IDLE_SECONDS),
    )
    while len(_clients) > MAX_CLIENTS:
        await _clients.popitem(last=False)[1].aclose()
    return client


async def _close_clients() -> None:
    while _clients:
        await _clients.popitem()[1].aclose()


class _Runner:
    """An event loop on a thread, so that connections outlive the task that opened them."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        thread = threading.Thread(target=self.loop.run_forever, name="apns", daemon=True)
        thread.start()

    def run(self, work: Coroutine[Any, Any, _Answer], seconds: float) -> _Answer:
        future = asyncio.run_coroutine_threadsafe(work, self.loop)
        try:
            return future.result(seconds)
        except FutureTimeout:
            future.cancel()
            raise


_running: _Runner | None = None
_starting = threading.Lock()


def _runner() -> _Runner:
    global _running
    with _starting:
        if _running is None:
            _running = _Runner()
        return _running


def _forget_parent() -> None:
    # A forked worker has neither the thread nor the right to the parent's connections.
    global _running, _starting
    _running, _starting = None, threading.Lock()
    _clients.clear()


os.register_at_fork(after_in_child=_forget_parent)

"""Long-lived HTTP/2 connections, one per push certificate, on an event loop of their own thread."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections import OrderedDict
from collections.abc import Coroutine, Iterator
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

import h2.events
import httpx2
from django.conf import settings

from apple.gateways.apns_tls import Credentials, client_context

CONNECT_SECONDS, READ_SECONDS, PUSH_SECONDS = 10.0, 10.0, 30.0
KEEP_IDLE_SECONDS = 1800
MAX_LINES = 64

for _library in ("httpx2", "httpcore2", "hpack"):
    # They would write every URL, and with it the push token, into the log.
    logging.getLogger(_library).setLevel(logging.WARNING)

_Answer = TypeVar("_Answer")


def is_loopback() -> bool:
    """Say whether pushes go to this very machine, that is to a fake, and not to Apple."""
    return (urlsplit(settings.MUSTER_APNS_URL).hostname or "") in ("localhost", "127.0.0.1", "::1")


def causes(error: BaseException) -> Iterator[BaseException]:
    """Walk from an error down to what caused it."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


def is_reset(error: BaseException) -> bool:
    """Say whether this one request was refused, and not the whole connection lost."""
    said = [argument for cause in causes(error) for argument in cause.args]
    return any(isinstance(argument, h2.events.StreamReset) for argument in said)


@dataclass
class Line:
    """A client with its connection. After a failure it takes no new pushes, because a connection
    pool does not get over every way of losing one, and closes behind the last push on it."""

    http: httpx2.AsyncClient
    users: int = 0
    is_retired: bool = False


_lines: OrderedDict[tuple[str, str, str], Line] = OrderedDict()
_closing: set[asyncio.Task[None]] = set()


@contextmanager
def on_line(credentials: Credentials) -> Iterator[httpx2.AsyncClient]:
    line = line_of(credentials)
    line.users += 1
    try:
        yield line.http
    except BaseException as error:
        if not is_reset(error):
            _retire(line)
        raise
    finally:
        line.users -= 1
        _close_if_done(line)


def line_of(credentials: Credentials) -> Line:
    """Return the line of a certificate, opened when first needed.

    Raises OSError, ValueError or httpx2.InvalidURL when settings or certificate are unusable.
    """
    base_url, ca_file = settings.MUSTER_APNS_URL, settings.MUSTER_APNS_CA_FILE
    if urlsplit(base_url).scheme != "https":
        raise ValueError("pushes are sent over https only")
    name = (base_url, ca_file, credentials.sha256)
    if name in _lines:
        _lines.move_to_end(name)
        return _lines[name]
    client = httpx2.AsyncClient(
        base_url=base_url,
        http1=False,
        http2=True,
        verify=client_context(credentials, ca_file=ca_file),
        trust_env=not is_loopback(),
        timeout=httpx2.Timeout(READ_SECONDS, connect=CONNECT_SECONDS, pool=PUSH_SECONDS),
        limits=httpx2.Limits(max_connections=None, keepalive_expiry=KEEP_IDLE_SECONDS),
    )
    line = _lines[name] = Line(client)
    if len(_lines) > MAX_LINES:
        _retire(next(iter(_lines.values())))
    return line


def _retire(line: Line) -> None:
    for name in [name for name, other in _lines.items() if other is line]:
        del _lines[name]
    line.is_retired = True
    _close_if_done(line)


def _close_if_done(line: Line) -> None:
    if line.is_retired and not line.users:
        task = asyncio.get_running_loop().create_task(line.http.aclose())
        _closing.add(task)
        task.add_done_callback(_closing.discard)


async def close_lines() -> None:
    for line in list(_lines.values()):
        _retire(line)
    await asyncio.gather(*_closing, return_exceptions=True)


class Runner:
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


_running: Runner | None = None
_starting = threading.Lock()


def runner() -> Runner:
    global _running
    with _starting:
        if _running is None:
            _running = Runner()
        return _running


def _forget_parent() -> None:
    # A forked worker has neither the thread nor the right to the parent's connections.
    global _running, _starting
    _running, _starting = None, threading.Lock()
    _lines.clear()
    _closing.clear()


os.register_at_fork(after_in_child=_forget_parent)

"""Long-lived HTTP/2 connections to services of others, on an event loop of their own thread."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Hashable, Iterator
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import h2.events
import httpx2

CONNECT_SECONDS, READ_SECONDS, EXCHANGE_SECONDS = 10.0, 10.0, 30.0
KEEP_IDLE_SECONDS = 1800
MAX_LINES = 64

for _library in ("httpx2", "httpcore2", "hpack"):
    # They would write every URL, and with it a push token, into the log.
    logging.getLogger(_library).setLevel(logging.WARNING)

_Answer = TypeVar("_Answer")
Opener = Callable[[], httpx2.AsyncClient]


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
    """A client with its connection. After a failure it takes no new requests, because a connection
    pool does not get over every way of losing one, and closes behind the last request on it."""

    http: httpx2.AsyncClient
    users: int = 0
    is_retired: bool = False


_lines: OrderedDict[Hashable, Line] = OrderedDict()
_closing: set[asyncio.Task[None]] = set()


@contextmanager
def on_line(name: Hashable, opener: Opener) -> Iterator[httpx2.AsyncClient]:
    line = line_of(name, opener)
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


def line_of(name: Hashable, opener: Opener) -> Line:
    """Return the line of that name, opened when first needed. Raises what `opener` raises.

    The name holds everything that `opener` reads: another name, another connection.
    """
    if name in _lines:
        _lines.move_to_end(name)
        return _lines[name]
    line = _lines[name] = Line(opener())
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


def close() -> None:
    """Close the connections of this process; the next request opens new ones."""
    runner().run(close_lines(), EXCHANGE_SECONDS)


class Runner:
    """An event loop on a thread, so that connections outlive the task that opened them."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        thread = threading.Thread(target=self.loop.run_forever, name="lines", daemon=True)
        thread.start()

    def run(self, work: Coroutine[Any, Any, _Answer], seconds: float) -> _Answer:
        """Wait for the work. Raises concurrent.futures.TimeoutError after `seconds`."""
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

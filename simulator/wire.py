"""HTTP as the simulated parties use it: keep-alive clients, and patience with a fault."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from http.cookiejar import DefaultCookiePolicy

import httpx2

from .errors import Unreachable

RETRIED_STATUSES = frozenset({429, 500, 502, 503, 504})


def open_client(*, ca_file: str | None = None, timeout: float = 20.0) -> httpx2.Client:
    """One connection pool, verified against `ca_file` or the system's roots; no proxies."""
    client = httpx2.Client(
        verify=_context(ca_file),
        timeout=timeout,
        trust_env=False,
        follow_redirects=False,
        limits=httpx2.Limits(max_connections=4, max_keepalive_connections=4),
    )
    # devices keep no cookies, and every browser has a jar of its own
    client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    return client


@cache
def _context(ca_file: str | None) -> ssl.SSLContext:
    # reading the roots takes a tenth of a second, and a fleet has hundreds of clients
    return ssl.create_default_context(cafile=ca_file)


@dataclass(frozen=True)
class Patience:
    """How long (seconds) a caller repeats a request that got no answer or a server fault."""

    seconds: float = 0.0
    pause: float = 0.1
    sleep: Callable[[float], None] = time.sleep

    def send(self, attempt: Callable[[], httpx2.Response]) -> httpx2.Response:
        """Call `attempt` until it answers without a fault; returns the last faulty answer."""
        give_up_at = time.monotonic() + self.seconds
        while True:
            failure: Exception | None = None
            response: httpx2.Response | None = None
            try:
                response = attempt()
            except httpx2.TransportError as error:
                failure = error
            if response is not None and response.status_code not in RETRIED_STATUSES:
                return response
            if time.monotonic() >= give_up_at:
                if response is not None:
                    return response
                raise Unreachable(str(failure)) from failure
            self.sleep(self.pause)


IMPATIENT = Patience()

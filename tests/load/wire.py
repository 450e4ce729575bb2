"""A client that costs next to nothing: prepared bytes on a keep-alive socket."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlsplit


def prepare(method: str, url: str, headers: Mapping[str, str], body: bytes) -> bytes:
    """The whole request as it goes over the wire."""
    parts = urlsplit(url)
    lines = [f"{method} {parts.path} HTTP/1.1", f"Host: {parts.netloc}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines += [f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


class Connection:
    """One keep-alive connection; answers are read by their Content-Length."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._socket = socket.create_connection((parts.hostname, parts.port), timeout=30)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._rest = b""

    def close(self) -> None:
        self._socket.close()

    def send(self, request: bytes) -> tuple[int, bytes]:
        """Status and body of the answer."""
        self._socket.sendall(request)
        head = self._read_until(b"\r\n\r\n")
        status = int(head[9:12])
        headers = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        if b"content-length" not in headers:
            raise ConnectionError("the answer does not say how long it is")
        return status, self._read(int(headers[b"content-length"]))

    def _read_until(self, mark: bytes) -> bytes:
        while mark not in self._rest:
            self._rest += self._receive()
        head, _, self._rest = self._rest.partition(mark)
        return head

    def _read(self, length: int) -> bytes:
        while len(self._rest) < length:
            self._rest += self._receive()
        body, self._rest = self._rest[:length], self._rest[length:]
        return body

    def _receive(self) -> bytes:
        data = self._socket.recv(65536)
        if not data:
            raise ConnectionError("the server closed the connection")
        return data


@dataclass(frozen=True)
class Sample:
    """Latencies in seconds, sorted, and how long the whole took."""

    latencies: Sequence[float]
    seconds: float

    def percentile(self, share: float) -> float:
        return self.latencies[min(len(self.latencies) - 1, int(len(self.latencies) * share))]

    @property
    def per_second(self) -> float:
        return len(self.latencies) / self.seconds


def measure(work: Sequence[Callable[[], Sequence[float]]], *, threads: int) -> Sample:
    """Run the pieces of work on `threads` threads; each returns the latencies that it saw."""
    begun = time.perf_counter()
    with ThreadPoolExecutor(max_workers=threads) as pool:
        found = [latency for part in pool.map(lambda piece: piece(), work) for latency in part]
    return Sample(sorted(found), time.perf_counter() - begun)

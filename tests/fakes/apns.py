"""A fake of Apple's push service on loopback, over TLS and HTTP/2.

Who shows a client certificate pushes to devices, who shows a signed token pushes to an app.
"""

from __future__ import annotations

import asyncio
import ssl
import tempfile
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from tests.fakes.apns_app_rules import CREDENTIAL_REASONS, DeveloperKey, judge_app
from tests.fakes.apns_rules import Answer, Request, judge
from tests.fakes.apns_wire import Connection
from tests.fakes.certificates import Authority, Issued
from tests.fakes.waiting import until

Wake = Callable[[], object]


@dataclass(frozen=True)
class Push:
    """One line of the ledger: what was asked, and what was answered."""

    token: str
    topic: str
    magic: str
    headers: dict[str, str]
    body: bytes
    status: int
    reason: str
    connection: int
    at: float = field(default_factory=time.monotonic)


class FakeAPNs:
    """Start with `start()`, stop with `stop()`; the ledger is `pushes`.

    An answer comes from the token's own script, then from the script for any token, then from
    `default`. `violations` names every request that Apple would call a mistake of the sender's
    even though this fake may have been told to answer otherwise: tests assert that it is empty.
    """

    def __init__(
        self,
        *,
        authority: Authority | None = None,
        certificate: Issued | None = None,
        max_concurrent_streams: int = 100,
    ) -> None:
        self.authority = authority or Authority()
        self.certificate = certificate or self.authority.server()
        self.max_concurrent_streams = max_concurrent_streams
        self.default = Answer(200)
        self.developer_keys: dict[str, DeveloperKey] = {}
        self.clock: Callable[[], float] = time.time
        self.pushes: list[Push] = []
        self.violations: list[str] = []
        self.connections = 0
        self.failed_handshakes = 0
        self.port = 0
        self._scripts: defaultdict[str, deque[Answer]] = defaultdict(deque)
        self._any: deque[Answer] = deque()
        self._devices: dict[str, tuple[str, Wake]] = {}
        self._open: set[Connection] = set()
        self._lock = threading.Lock()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._wakers = ThreadPoolExecutor(max_workers=4, thread_name_prefix="apns-wake")
        self._folder = tempfile.TemporaryDirectory(prefix="muster-apns-")
        self._server: asyncio.Server | None = None

    # Life

    def start(self) -> FakeAPNs:
        self._thread.start()
        self._run(self._listen())
        return self

    def stop(self) -> None:
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()
        self._wakers.shutdown(cancel_futures=True)
        self._folder.cleanup()

    def __enter__(self) -> FakeAPNs:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    @property
    def authority_path(self) -> Path:
        """The file with the certificate that clients must trust."""
        return Path(self._folder.name) / "authority.crt"

    # Script

    def script(self, token: str | bytes, *answers: Answer) -> None:
        """Answer the next pushes to `token` with `answers`, in this order."""
        self._scripts[_hex(token)].extend(answers)

    def script_any(self, *answers: Answer) -> None:
        """Answer the next pushes, to whichever token, with `answers`."""
        self._any.extend(answers)

    def trust_key(self, key: DeveloperKey) -> None:
        """Accept pushes to the apps of this key, as if Apple had given it out."""
        self.developer_keys[key.key_id] = key

    def connect_device(self, token: str | bytes, magic: str, wake: Wake) -> None:
        """Call `wake` (on a thread of ours) for every push to `token` that carries its `magic`."""
        self._devices[_hex(token)] = (magic, wake)

    def disconnect_device(self, token: str | bytes) -> None:
        self._devices.pop(_hex(token), None)

    def clear(self) -> None:
        """Forget ledger and scripts; devices stay connected."""
        with self._lock:
            self.pushes.clear()
            self.violations.clear()
        self._scripts.clear()
        self._any.clear()
        self.developer_keys.clear()
        self.clock = time.time
        self.default = Answer(200)

    # Ledger

    def pushes_to(self, token: str | bytes) -> list[Push]:
        with self._lock:
            return [push for push in self.pushes if push.token == _hex(token)]

    def wait_for(
        self, count: int, *, token: str | bytes | None = None, seconds: float = 10
    ) -> None:
        """Wait until `count` pushes came, to `token` or to any."""

        def arrived() -> bool:
            found = self.pushes if token is None else self.pushes_to(token)
            return len(found) >= count

        until(arrived, seconds=seconds, what=f"{count} pushes")

    # What the connections call, on the loop's thread

    def answer(self, request: Request, connection: Connection) -> Answer:
        answer = self._choose(request)
        if connection.topic:
            fault = judge(request, connection.topic)
        else:
            fault = judge_app(request, self.developer_keys, clock=self.clock())
        if fault is not None:
            answer = fault
            # Wrong credentials are an administrator's mistake, which a server may well carry.
            if connection.topic or fault.reason not in CREDENTIAL_REASONS:
                self.violations.append(f"{request.path}: {fault.reason}")
        expected = self._devices.get(request.token)
        if fault is None and expected is not None and expected[0] != request.magic:
            self.violations.append(f"{request.path}: the push magic belongs to another channel")
        with self._lock:
            self.pushes.append(
                Push(
                    token=request.token,
                    topic=request.headers.get("apns-topic", ""),
                    magic=request.magic,
                    headers=dict(request.headers),
                    body=request.body,
                    status=answer.status,
                    reason=answer.reason,
                    connection=connection.number,
                )
            )
        if answer.wakes and expected is not None and expected[0] == request.magic:
            self._wakers.submit(expected[1])
        return answer

    def opened(self, connection: Connection) -> int:
        self._open.add(connection)
        self.connections += 1
        return self.connections

    def closed(self, connection: Connection) -> None:
        self._open.discard(connection)

    def _choose(self, request: Request) -> Answer:
        for script in (self._scripts[request.token], self._any):
            if script:
                return script.popleft()
        return self.default

    async def _listen(self) -> None:
        self.authority.write(Path(self._folder.name))
        self._loop.set_exception_handler(self._note_failure)
        self._server = await self._loop.create_server(
            lambda: Connection(self), "127.0.0.1", 0, ssl=self._tls()
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
        for connection in list(self._open):
            connection.cut()
        await asyncio.sleep(0)

    def _tls(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(*self.certificate.write(Path(self._folder.name), "server"))
        context.load_verify_locations(cafile=self.authority_path)
        context.verify_mode = ssl.CERT_OPTIONAL
        context.set_alpn_protocols(["h2"])
        return context

    def _note_failure(self, loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
        if isinstance(context.get("exception"), ssl.SSLError):
            self.failed_handshakes += 1
        else:
            loop.default_exception_handler(context)

    def _run(self, work: object) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)  # type: ignore[arg-type]


def _hex(token: str | bytes) -> str:
    return token.hex() if isinstance(token, bytes) else token

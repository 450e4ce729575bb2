"""A small HTTPS server on loopback that a fake of somebody's web service is built on."""

from __future__ import annotations

import ssl
import tempfile
import threading
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.fakes.certificates import Authority, Issued

MAX_BODY = 65_536


@dataclass(frozen=True)
class Request:
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Reply:
    """`trickles` sends a byte a second and never ends; `is_cut` closes without an answer."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    trickles: bool = False
    is_cut: bool = False


class FakeHttps:
    """Start with `with`. Subclasses answer in `answer`; scripted replies go first."""

    def __init__(
        self, *, authority: Authority | None = None, certificate: Issued | None = None
    ) -> None:
        self.authority = authority or Authority()
        self.certificate = certificate or self.authority.server()
        self.connections = 0
        self.stopping = threading.Event()
        self._script: deque[Reply] = deque()
        self._lock = threading.Lock()
        self._folder = tempfile.TemporaryDirectory(prefix="muster-https-")
        self._server: ThreadingHTTPServer | None = None

    def __enter__(self) -> FakeHttps:
        folder = Path(self._folder.name)
        self.authority.write(folder)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.certificate.write(folder, "server"))
        handler = type("Handler", (_Handler,), {"service": self})
        self._server = _Server(("127.0.0.1", 0), handler)
        self._server.tls = context
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._folder.cleanup()

    @property
    def port(self) -> int:
        return self._server.server_address[1]

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    @property
    def authority_path(self) -> Path:
        return Path(self._folder.name) / "authority.crt"

    def script(self, *replies: Reply) -> None:
        """Give the next requests these answers, whatever they ask."""
        with self._lock:
            self._script.extend(replies)

    def answer(self, request: Request) -> Reply:
        """What the service itself would say."""
        return Reply(404)

    def reply_to(self, request: Request) -> Reply:
        with self._lock:
            proper = self.answer(request)
            return self._script.popleft() if self._script else proper


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    tls: ssl.SSLContext

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that do not trust us hang up: that is what some tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    service: FakeHttps

    def setup(self) -> None:
        # On the thread of the connection: one that never says hello must not stop the others.
        self.request = self.server.tls.wrap_socket(self.request, server_side=True)
        self.service.connections += 1
        super().setup()

    def do_POST(self) -> None:
        length = min(int(self.headers.get("content-length", "0")), MAX_BODY)
        headers = {name.lower(): value for name, value in self.headers.items()}
        reply = self.service.reply_to(Request(self.path, headers, self.rfile.read(length)))
        if reply.is_cut:
            self.close_connection = True
            return
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(10_000 if reply.trickles else len(reply.body)))
        self.end_headers()
        while reply.trickles and not self.service.stopping.wait(1):
            self.wfile.write(b" ")
            self.wfile.flush()
        self.wfile.write(reply.body)

    def log_message(self, *_: object) -> None:
        """Nothing: the ledger tells."""

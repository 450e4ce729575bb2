"""S-04 and S-03 in front of the server: the Caddyfile lets no client speak for the proxy."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx2
import pytest

from tests.fakes.processes import Process, accepts, free_port
from tests.fakes.waiting import until
from tests.lanes import ROOT

pytestmark = pytest.mark.caddy
FORGED = {
    "Client-Cert": ":AAAA:",
    "Client-Cert-Chain": ":AAAA:",
    "X-SSL-Client-Cert": "forged",
    "X-SSL-Client-Verify": "SUCCESS",
    "X-Client-Cert": "forged",
    "X-Real-IP": "203.0.113.9",
    "True-Client-IP": "203.0.113.9",
    "Forwarded": "for=127.0.0.1",
    "X-Original-URL": "/devices/",
    "X-Rewrite-URL": "/devices/",
    "X-HTTP-Method-Override": "DELETE",
    "X-User-ID": "1",
    "X-Remote-User": "root",
    "X-Tenant": "other",
}


class Upstream(BaseHTTPRequestHandler):
    """Notes what arrives behind the proxy."""

    seen: list = []
    begun: list = []
    protocol_version = "HTTP/1.1"

    def _answer(self):
        self.begun.append(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.seen.append((self.path, dict(self.headers), len(body)))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_PUT = do_POST = _answer

    def log_message(self, *_):
        """Stay quiet."""


def _words_of_an_old_caddy():
    told = subprocess.run(["caddy", "version"], capture_output=True, text=True, timeout=20).stdout
    version = tuple(int(part) for part in told.split()[0].lstrip("v").split(".")[:3])
    return {"MUSTER_PROXY_BUFFERS": "buffer_requests"} if version < (2, 6, 3) else {}


@pytest.fixture(scope="module")
def proxy(tmp_path_factory):
    upstream = ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
    threading.Thread(target=upstream.serve_forever, daemon=True).start()
    folder, port = tmp_path_factory.mktemp("caddy"), free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "MUSTER_SITE": f"http://localhost:{port}",
        "MUSTER_UPSTREAM": f"127.0.0.1:{upstream.server_port}",
        **_words_of_an_old_caddy(),
    }
    command = ["caddy", "run", "--adapter", "caddyfile", "--config", ROOT / "Caddyfile"]
    process = Process(command, log=folder / "caddy.log", env=environment, cwd=folder)
    until(lambda: accepts(port), what=f"Caddy to listen: {process.output()}")
    with httpx2.Client(base_url=f"http://localhost:{port}", timeout=10) as client:
        yield client
    process.stop()
    upstream.shutdown()


@pytest.fixture(autouse=True)
def forget():
    Upstream.seen.clear()
    Upstream.begun.clear()


@pytest.mark.parametrize("name", sorted(FORGED))
def test_a_forged_header_does_not_pass(proxy, name):
    assert proxy.get("/sign-in/", headers={name: FORGED[name]}).status_code == 200
    _, headers, _ = Upstream.seen[0]
    assert FORGED[name] not in headers.values()


def test_forged_forwarding_is_replaced_by_the_truth(proxy):
    forged = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"}
    proxy.get("/sign-in/", headers={**forged, "X-Forwarded-Host": "evil.example"})
    _, headers, _ = Upstream.seen[0]
    assert headers["X-Forwarded-For"] in ("127.0.0.1", "::1")
    assert headers["X-Forwarded-Proto"] == "http"
    assert "evil.example" not in headers.values()


def test_what_devices_send_passes_unchanged(proxy):
    signature = "A" * 6000
    proxy.put("/mdm/apple/connect", content=b"x" * 5000, headers={"Mdm-Signature": signature})
    path, headers, size = Upstream.seen[0]
    assert (path, headers["Mdm-Signature"], size) == ("/mdm/apple/connect", signature, 5000)


@pytest.mark.parametrize("path", ["/metrics", "/readyz"])
def test_what_is_for_monitors_inside_is_not_found_outside(proxy, path):
    assert proxy.get(path).status_code == 404
    assert Upstream.seen == []


@pytest.mark.parametrize(
    ("path", "limit"),
    [
        ("/mdm/apple/scep/acme", 64 * 1024),
        ("/mdm/apple/checkin", 1024 * 1024),
        ("/sign-in/", 2 * 1024 * 1024),
    ],
)
def test_a_body_over_the_limit_does_not_reach_the_server(proxy, path, limit):
    # The proxy may cut the connection while we are still sending.
    with contextlib.suppress(httpx2.TransportError):
        assert proxy.post(path, content=b"x" * (limit + 50_000)).status_code >= 400
    assert all(size <= limit for _, _, size in Upstream.seen)


def test_a_full_inventory_passes(proxy):
    proxy.put("/mdm/apple/connect?full", content=b"x" * 20_000_000)
    # A request that was cut may still be noted while this one passes.
    assert [size for path, _, size in Upstream.seen if path.endswith("?full")] == [20_000_000]


def test_a_slow_body_holds_no_worker(proxy):
    """The server has a few threads; whoever sends slowly must not get one of them."""
    port = proxy.base_url.port
    with contextlib.ExitStack() as stack:
        for path in ("/mdm/apple/checkin?slow", "/sign-in/?slow"):
            slow = stack.enter_context(socket.create_connection(("localhost", port), timeout=10))
            head = f"PUT {path} HTTP/1.1\r\nHost: localhost:{port}\r\nContent-Length: 5000\r\n\r\n"
            slow.sendall(head.encode() + b"the beginning")
        for number in range(5):
            assert proxy.get(f"/healthz?{number}").status_code == 200
        assert [path for path in Upstream.begun if path.endswith("slow")] == []
        slow.sendall(b"x" * 4987)
        assert slow.recv(12) == b"HTTP/1.1 200"
    assert [path for path in Upstream.begun if path.endswith("slow")] == ["/sign-in/?slow"]

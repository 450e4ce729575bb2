"""While the database is away devices are told to come again and people get a page that says so.

A device that is told 401 removes its management: no fault of ours may ever look like that.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator

import httpx2
import pytest

from core.pki import cms
from tests.e2e.server import Server
from tests.fakes.postgres import PostgresServer
from tests.fakes.waiting import until
from tests.pki_material import rsa_key, self_signed

pytestmark = [pytest.mark.postgres, pytest.mark.embedded_only]
IDLE = (
    b'<?xml version="1.0" encoding="UTF-8"?><plist version="1.0"><dict><key>Status</key>'
    b"<string>Idle</string><key>UDID</key><string>00008030-000000000000AAAA</string></dict></plist>"
)
PAGES = ("/sign-in/", "/go", "/go/abcdefghijkl", "/enroll/abcdefgh/profile")


@pytest.fixture
def database() -> Iterator[PostgresServer]:
    """A PostgreSQL server that this test may stop."""
    server = PostgresServer().start()
    yield server
    server.stop()


@pytest.fixture
def server(new_server, set_up_server, database) -> Server:
    secrets = {
        name: base64.b64encode(os.urandom(32)).decode() for name in ("SECRET_KEY", "MUSTER_KEK")
    }
    # The files that never change were gathered once already.
    static = str(set_up_server.data / "static")
    settings = {"DATABASE_URL": database.url, "MUSTER_STATIC_DIR": static, **secrets}
    return new_server("--no-worker", is_fresh=True, **settings).start()


def poll(server: Server) -> httpx2.Response:
    key = rsa_key("outage")
    signature = cms.sign_detached(IDLE, certificate=self_signed(key), key=key)
    headers = {"Mdm-Signature": base64.b64encode(signature).decode()}
    url = f"{server.url}/mdm/apple/connect"
    return httpx2.put(url, content=IDLE, headers=headers, timeout=30)


def statuses(server: Server) -> list[int]:
    return [server.get(page).status_code for page in PAGES]


def test_an_outage_of_the_database_is_503_for_everybody_and_passes(server, database):
    before = statuses(server)
    assert poll(server).status_code == 400
    database.process.stop()
    for answer in (poll(server), server.get("/mdm/apple/scep/acme?operation=GetCACaps")):
        assert (answer.status_code, answer.content) == (503, b"")
        assert int(answer.headers["Retry-After"]) > 0
    for page in PAGES:
        answer = server.get(page)
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0
        assert "Not available at the moment" in answer.text
        assert "psycopg" not in answer.text
    api = server.get("/api/v1/devices/", headers={"Authorization": "Bearer mst_something"})
    assert (api.status_code, api.json()["error"]["code"]) == (503, "unavailable")
    assert server.get("/healthz").status_code == 200
    assert server.get("/readyz").status_code == 503
    database.start()
    until(lambda: statuses(server) == before, seconds=20)
    assert poll(server).status_code == 400

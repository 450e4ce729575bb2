"""What every test can use, and the rules of the lanes: a skip names its reason, or is a failure."""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from django.core.servers.basehttp import WSGIServer

from core.pki import keys
from tests import lanes
from tests.fakes.apns import FakeAPNs
from tests.fakes.certificates import Authority
from tests.fakes.fcm import FakeFcm
from tests.fakes.postgres import PostgresServer
from tests.fakes.redis import RedisServer
from tests.fakes.smtp import FakeSMTP
from tests.fakes.web_push import FakeWebPush

pytest_plugins = ["tests.browser", "tests.cast"]

DATABASE_FIXTURES = {"db", "transactional_db", "live_server", "server", "new_server"}
BROWSER_FIXTURES = {"browser", "new_context", "page"}
# Fifty clients that knock at once must all find room in the queue of `live_server`.
WSGIServer.request_queue_size = 128
_skipped: Counter[str] = Counter()


def pytest_configure(config: pytest.Config) -> None:
    for lane in lanes.LANES.values():
        config.addinivalue_line("markers", f"{lane.name}: needs {lane.what}")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the browser last; on PostgreSQL and Redis run only what can behave differently there.

    Playwright keeps an event loop running on the main thread, which other tests must not meet.
    """
    items.sort(key=lambda item: bool(BROWSER_FIXTURES & set(getattr(item, "fixturenames", ()))))
    chosen = [item for item in items if _is_in_part(item)]
    if lanes.CURRENT == "services":
        chosen = [item for item in chosen if _touches_services(item)]
    kept = set(chosen)
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = chosen


def _is_in_part(item: pytest.Item) -> bool:
    if not lanes.PART:
        return True
    used = set(getattr(item, "fixturenames", ()))
    starts_servers = "e2e" in item.path.parts or bool(BROWSER_FIXTURES & used)
    return starts_servers == (lanes.PART == "servers")


def _touches_services(item: pytest.Item) -> bool:
    if item.get_closest_marker("browser") or item.get_closest_marker("embedded_only"):
        return False
    used = set(getattr(item, "fixturenames", ()))
    return bool(used & DATABASE_FIXTURES or item.get_closest_marker("django_db"))


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker in item.iter_markers():
        lane = lanes.LANES.get(marker.name)
        if lane is not None and (reason := lane.missing()):
            pytest.skip(f"lane {lane.name}: {reason}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    report = yield
    if report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        _skipped[reason.removeprefix("Skipped: ")] += 1
        if lanes.REQUIRE_ALL:
            report.outcome = "failed"
            report.longrepr = f"nothing may be skipped here, and this was: {reason}"
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    named = [f"{reason} ({count} tests)" for reason, count in sorted(_skipped.items())]
    terminalreporter.write_line(f"lanes skipped: {'; '.join(named) or 'none'}")


@pytest.fixture(scope="session")
def _rsa_keys() -> dict[int, RSAPrivateKey]:
    return {}


@pytest.fixture
def quick_keys(_rsa_keys: dict[int, RSAPrivateKey], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the server find one RSA key of each size in the whole run, not one in every test."""
    generate = keys.generate_rsa

    def generate_once(bits: int = 2048) -> RSAPrivateKey:
        if bits not in _rsa_keys:
            _rsa_keys[bits] = generate(bits)
        return _rsa_keys[bits]

    monkeypatch.setattr(keys, "generate_rsa", generate_once)


@pytest.fixture(scope="session")
def authority() -> Authority:
    """The certificate authority that the fakes' certificates come from."""
    return Authority()


@pytest.fixture(scope="session")
def _apns_service(authority: Authority) -> Iterator[FakeAPNs]:
    with FakeAPNs(authority=authority) as service:
        yield service


@pytest.fixture
def apns(_apns_service: FakeAPNs) -> Iterator[FakeAPNs]:
    """The fake push service, with an empty ledger; it must have seen no malformed push."""
    _apns_service.clear()
    yield _apns_service
    violations = list(_apns_service.violations)
    _apns_service.clear()
    assert violations == []


@pytest.fixture
def google(authority: Authority, settings: Any) -> Iterator[FakeFcm]:
    """The fake of Firebase, which the server is told to use; it must have seen no mistake."""
    with FakeFcm(authority=authority) as service:
        settings.MUSTER_FCM_URL, settings.MUSTER_FCM_TOKEN_URL = service.url, service.token_url
        settings.MUSTER_FCM_CA_FILE = str(service.authority_path)
        yield service
    assert service.violations == []


@pytest.fixture
def push_service(authority: Authority, settings: Any) -> Iterator[FakeWebPush]:
    """A push service of browsers on loopback, where the server may go for once."""
    with FakeWebPush(authority=authority) as service:
        settings.MUSTER_WEB_PUSH_CA_FILE = str(service.authority_path)
        loopback = ("127.0.0.0/8", "::1/128")
        settings.MUSTER_EGRESS_NETWORKS = [ipaddress.ip_network(text) for text in loopback]
        yield service


@pytest.fixture
def smtp() -> Iterator[FakeSMTP]:
    """A mail server with no mail in it."""
    with FakeSMTP() as service:
        yield service


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL server of this run's own; mark the test with `postgres`."""
    server = PostgresServer().start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """A Redis server of this run's own; mark the test with `redis`."""
    server = RedisServer().start()
    yield server
    server.stop()

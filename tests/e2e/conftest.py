"""Servers for end-to-end tests: a shared one with everything beside it, and fresh ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.e2e.field import Field
from tests.e2e.server import Server
from tests.fakes.apns import FakeAPNs
from tests.fakes.certificates import Authority
from tests.fakes.smtp import FakeSMTP


@pytest.fixture(scope="session")
def server_mail() -> Iterator[FakeSMTP]:
    """The mail server of the shared server; filter by recipient, as all tests use it."""
    with FakeSMTP() as service:
        yield service


@pytest.fixture(scope="session")
def server_apns(authority: Authority) -> Iterator[FakeAPNs]:
    """The push service of the shared server; filter by token, as all tests use it."""
    with FakeAPNs(authority=authority) as service:
        yield service


@pytest.fixture(scope="session")
def server(
    tmp_path_factory: pytest.TempPathFactory, server_mail: FakeSMTP, server_apns: FakeAPNs
) -> Iterator[Server]:
    """One running server for all tests that share nothing but it: each brings its own people."""
    shared = Server(
        tmp_path_factory.mktemp("server"),
        EMAIL_URL=server_mail.url,
        MUSTER_APNS_URL=server_apns.url,
        MUSTER_APNS_CA_FILE=str(server_apns.authority_path),
    )
    yield shared.start()
    shared.stop()


@pytest.fixture(scope="session")
def set_up_server(tmp_path_factory: pytest.TempPathFactory) -> Server:
    """A stopped server whose database, keys and owner other servers can begin with."""
    template = Server(tmp_path_factory.mktemp("template-server"), "--no-worker")
    template.start().stop()
    return template


@pytest.fixture
def new_server(
    tmp_path_factory: pytest.TempPathFactory, set_up_server: Server
) -> Iterator[Callable[..., Server]]:
    """Make servers that are this test's own (options and settings as `Server`), not started.

    With `is_fresh` the server has never run before, which takes some seconds more.
    """
    made: list[Server] = []

    def make(*options: str, is_fresh: bool = False, **environment: str) -> Server:
        folder = tmp_path_factory.mktemp("own-server")
        template = None if is_fresh else set_up_server
        made.append(Server(folder, *options, template=template, **environment))
        return made[-1]

    yield make
    for one in made:
        one.stop()


@pytest.fixture(scope="session")
def _field(server: Server, server_mail: FakeSMTP, server_apns: FakeAPNs) -> Iterator[Field]:
    field = Field(server, server_mail, server_apns)
    yield field
    field.close()


@pytest.fixture
def field(_field: Field) -> Iterator[Field]:
    """People and devices around the shared server; no command may be executed twice."""
    _field.inside.call("let_wipes_age")
    yield _field
    assert _field.ledger.executed_twice() == []
    assert _field.oddities() == []


@pytest.fixture
def settled(field):
    """Somebody who has registered a phone in the browser, and so has a password."""
    person, invitation = field.newcomer()
    person.accept(field.device(), invitation)
    return person

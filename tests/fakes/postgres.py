"""A PostgreSQL server of the test run's own, on a free loopback port, in a temporary folder."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import psycopg

from tests.fakes.processes import Process, free_port, unprivileged_user
from tests.fakes.waiting import until

MINIMUM_VERSION = 15
# A test's database never outlives the machine, so that durability is only lost time.
FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=60")


def find_programs() -> Path | None:
    """Return the newest version's folder of programs; None when too old or absent."""
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    found = [path for path in found if float(path.parent.name) >= MINIMUM_VERSION]
    if found:
        return max(found, key=lambda path: float(path.parent.name))
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path and shutil.which("postgres") else None


def create_database(url: str, name: str, *, template: str = "template1") -> str:
    """Create a database on the server of `url`, as a copy of `template`; return its URL."""
    _execute(url, f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    return f"{url.rpartition('/')[0]}/{name}"


def _execute(url: str, statement: str) -> None:
    # CREATE and DROP DATABASE do not run inside a transaction.
    with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
        connection.execute(statement.encode())


class PostgresServer:
    """Start with `start()`, stop with `stop()`; `url` names its first, empty database."""

    settings = FAST

    def __init__(self) -> None:
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="muster-postgres-"))
        self.process: Process | None = None
        self._user = unprivileged_user()
        self._programs = find_programs()

    @property
    def url(self) -> str:
        return self.url_of("postgres")

    def url_of(self, database: str) -> str:
        return f"postgres://muster@127.0.0.1:{self.port}/{database}"

    def start(self) -> PostgresServer:
        if self._programs is None:
            raise RuntimeError(f"PostgreSQL {MINIMUM_VERSION} or newer is not installed")
        if not (self.folder / "data").exists():
            self._initialise(self._programs / "initdb")
        settings = (f"port={self.port}", "listen_addresses=127.0.0.1", *self.settings)
        command = [self._programs / "postgres", "-D", self.folder / "data"]
        command += ["-k", self.folder]
        for setting in settings:
            command += ["-c", setting]
        # SIGINT is PostgreSQL's fast shutdown: it does not wait for clients that forgot to leave.
        self.process = Process(
            command,
            log=self.folder / "server.log",
            user=self._user,
            cwd=self.folder,
            stop_signal=signal.SIGINT,
        )
        until(self._answers, seconds=30, step=0.05, what="PostgreSQL to answer")
        return self

    def create_database(self, name: str, *, template: str = "template1") -> str:
        """Create a database, as a copy of `template`; return its URL."""
        return create_database(self.url, name, template=template)

    def drop_database(self, name: str) -> None:
        _execute(self.url, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def stop(self) -> None:
        if self.process is not None:
            self.process.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _initialise(self, initdb: Path) -> None:
        options = ["--auth=trust", "--username=muster", "--encoding=UTF8", "--no-sync"]
        # In this order nothing has to run as root, and initdb finds an empty folder of its own.
        if self._user is not None:
            os.chown(self.folder, self._user.pw_uid, self._user.pw_gid)
        subprocess.run(
            [initdb, "-D", self.folder / "data", "--no-locale", *options],
            check=True,
            stdout=subprocess.DEVNULL,
            timeout=120,
            cwd=self.folder,
            user=self._user.pw_uid if self._user else None,
            group=self._user.pw_gid if self._user else None,
            extra_groups=[] if self._user else None,
        )

    def _answers(self) -> bool:
        if self.process is not None and not self.process.is_running:
            raise RuntimeError(f"PostgreSQL ended: {self.process.output()[-2000:]}")
        try:
            psycopg.connect(self.url, connect_timeout=1).close()
        except psycopg.OperationalError:
            return False
        return True

from __future__ import annotations

import os
import sys
from pathlib import Path

import psycopg
import pytest

from tests.fakes.postgres import PostgresServer
from tests.fakes.processes import Process, accepts
from tests.fakes.redis import RedisServer
from tests.fakes.waiting import until


@pytest.mark.postgres
def test_postgres_serves_copies_of_a_database_and_leaves_nothing():
    server = PostgresServer().start()
    try:
        with psycopg.connect(server.create_database("one"), connect_timeout=5) as connection:
            connection.execute("CREATE TABLE t (x int)")
        with psycopg.connect(server.create_database("two", template="one")) as connection:
            assert connection.execute("SELECT count(*) FROM t").fetchone() == (0,)
    finally:
        server.stop()
    assert not server.folder.exists()
    assert not accepts(server.port)


@pytest.mark.redis
def test_redis_starts_empty_and_leaves_nothing():
    server = RedisServer().start()
    try:
        with server.client() as client:
            assert client.dbsize() == 0
    finally:
        server.stop()
    assert not accepts(server.port)


def test_a_process_that_ignores_the_polite_signal_is_stopped_with_its_children(tmp_path):
    stubborn = (
        "import os, signal, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "child = os.fork()\n"
        "print(child or 'child', flush=True)\n"
        "time.sleep(600)\n"
    )
    process = Process([sys.executable, "-c", stubborn], log=tmp_path / "out.log")
    lines = until(lambda: [x for x in process.output().split() if x.isdigit()], what="a child")
    process.stop(seconds=0.2)
    until(lambda: not is_alive(int(lines[0])), what="the child's end")


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # An orphan that has ended may wait for a reaper that this machine does not have.
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


def test_waiting_gives_up_with_the_last_answer():
    with pytest.raises(AssertionError, match=r"waited 0\.05 s for a miracle; last answer: 0"):
        until(lambda: 0, seconds=0.05, what="a miracle")

"""Runs the test suite on SQLite, and what touches the database on PostgreSQL and Redis too.

`python -m tests.run [pytest options]` is `make test`. Both parts run at the same time where there
are two processors, one after the other when options are given. Plain `pytest` runs the first only.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from typing import IO

from tests import lanes
from tests.fakes.postgres import PostgresServer
from tests.fakes.redis import RedisServer

# pytest's code for "no test was collected", which a narrow choice of tests can lead to.
NOTHING_TO_RUN = 5
EMBEDDED = "the whole suite, on SQLite without Redis"
SERVICES = "what touches the database, on PostgreSQL and Redis"


def main(options: list[str]) -> int:
    missing = lanes.missing_for_services()
    if missing:
        _say(EMBEDDED)
        code = _pytest(options, {}).wait()
        _say(f"lanes skipped: services ({missing})")
        return code or int(lanes.REQUIRE_ALL)
    postgres, redis = PostgresServer(), RedisServer()
    try:
        urls = {"DATABASE_URL": postgres.start().url, "REDIS_URL": redis.start().url}
        environment = {"MUSTER_TEST_LANE": "services", **urls}
        if options or (os.cpu_count() or 1) < 2:
            codes = _one_after_the_other(options, environment)
        else:
            codes = _at_the_same_time(environment)
    finally:
        postgres.stop()
        redis.stop()
    return next((code for code in codes if code not in (0, NOTHING_TO_RUN)), 0)


def _one_after_the_other(options: list[str], environment: Mapping[str, str]) -> list[int]:
    _say(EMBEDDED)
    first = _pytest(options, {}).wait()
    _say(SERVICES)
    return [first, _pytest(options, environment).wait()]


def _at_the_same_time(environment: Mapping[str, str]) -> list[int]:
    with tempfile.TemporaryFile() as kept:
        second = _pytest([], environment, output=kept)
        try:
            _say(f"{EMBEDDED}; at the same time {SERVICES}")
            codes = [_pytest([], {}).wait(), second.wait()]
        finally:
            second.kill()
        _say(SERVICES)
        kept.seek(0)
        for line in kept:
            sys.stdout.write(line.decode(errors="replace"))
    sys.stdout.flush()
    return codes


def _pytest(
    options: list[str], environment: Mapping[str, str], output: IO[bytes] | None = None
) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "pytest", *options]
    return subprocess.Popen(
        command,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL if output else None,
        stdout=output,
        stderr=subprocess.STDOUT if output else None,
    )


def _say(text: str) -> None:
    sys.stdout.write(f"\n=== {text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Runs the test suite on SQLite, then what touches the database on PostgreSQL and Redis.

`python -m tests.run [pytest options]` is `make test`. Plain `pytest` runs the first part only.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping

from tests import lanes
from tests.fakes.postgres import PostgresServer
from tests.fakes.redis import RedisServer

# pytest's code for "no test was collected", which a narrow choice of tests can lead to.
NOTHING_TO_RUN = 5


def main(options: list[str]) -> int:
    _say("the whole suite, on SQLite without Redis")
    first = _pytest(options, {})
    missing = lanes.missing_for_services()
    if missing:
        _say(f"lanes skipped: services ({missing})")
        return first or int(lanes.REQUIRE_ALL)
    _say("what touches the database, on PostgreSQL and Redis")
    second = _on_services(options)
    return first or (0 if second == NOTHING_TO_RUN else second)


def _on_services(options: list[str]) -> int:
    postgres, redis = PostgresServer(), RedisServer()
    try:
        urls = {"DATABASE_URL": postgres.start().url, "REDIS_URL": redis.start().url}
        return _pytest(options, {"MUSTER_TEST_LANE": "services", **urls})
    finally:
        postgres.stop()
        redis.stop()


def _pytest(options: list[str], environment: Mapping[str, str]) -> int:
    command = [sys.executable, "-m", "pytest", *options]
    return subprocess.run(command, env={**os.environ, **environment}, check=False).returncode


def _say(text: str) -> None:
    sys.stdout.write(f"\n=== {text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

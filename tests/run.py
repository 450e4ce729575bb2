"""Runs the test suite on SQLite, and what touches the database on PostgreSQL and Redis too.

`python -m tests.run [pytest options]` is `make test`. Each of the two is divided into tests that
start servers or browsers and the rest, and as many of the four parts run at the same time as there
are processors, two at most. With options everything runs one after the other. Plain `pytest` runs
the suite on SQLite only.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import IO

from tests import lanes
from tests.fakes.postgres import PostgresServer
from tests.fakes.redis import RedisServer

# pytest's code for "no test was collected", which a narrow choice of tests can lead to.
NOTHING_TO_RUN = 5
WORDS = {
    "embedded": "on SQLite without Redis",
    "services": "what touches the database, on PostgreSQL and Redis",
    "servers": "tests that start servers or browsers",
    "rest": "all others",
    "": "the whole suite",
}


@dataclass(frozen=True)
class Job:
    lane: str
    part: str = ""

    @property
    def title(self) -> str:
        return f"{WORDS[self.part]}, {WORDS[self.lane]}"


# The long ones first, so that the short ones fill the end.
JOBS = (
    Job("embedded", "rest"),
    Job("embedded", "servers"),
    Job("services", "rest"),
    Job("services", "servers"),
)


def main(options: list[str]) -> int:
    missing = lanes.missing_for_services()
    wanted = [job for job in JOBS if job.lane == "embedded" or not missing]
    if options or (os.cpu_count() or 1) < 2:
        wanted = [Job(lane) for lane in dict.fromkeys(job.lane for job in wanted)]
        codes = [_run(job, options) for job in wanted]
    else:
        codes = _at_the_same_time(wanted)
    if missing:
        _say(f"lanes skipped: services ({missing})")
        codes.append(int(lanes.REQUIRE_ALL))
    return next((code for code in codes if code not in (0, NOTHING_TO_RUN)), 0)


def _at_the_same_time(jobs: list[Job]) -> list[int]:
    """Run two jobs at a time. The first one is seen as it goes, the others when they are done."""
    codes = []
    with ExitStack() as stack, ThreadPoolExecutor(2) as pool:
        running: dict[Future[int], IO[bytes] | None] = {pool.submit(_run, jobs[0], []): None}
        for job in jobs[1:]:
            kept = stack.enter_context(tempfile.TemporaryFile())
            running[pool.submit(_run, job, [], kept)] = kept
        for done in as_completed(running):
            codes.append(done.result())
            if kept := running[done]:
                _show(kept)
    return codes


def _show(kept: IO[bytes]) -> None:
    kept.seek(0)
    for line in kept:
        sys.stdout.write(line.decode(errors="replace"))
    sys.stdout.flush()


def _run(job: Job, options: list[str], output: IO[bytes] | None = None) -> int:
    if output is None:
        _say(job.title)
    else:
        output.write(f"\n=== {job.title}\n".encode())
        output.flush()
    with _services(job) as urls:
        environment = {"MUSTER_TEST_LANE": job.lane, "MUSTER_TEST_PART": job.part, **urls}
        return _pytest(options, environment, output).wait()


@contextmanager
def _services(job: Job) -> Iterator[dict[str, str]]:
    """PostgreSQL and Redis of the job's own: two jobs would make the same test database."""
    if job.lane == "embedded":
        yield {}
        return
    postgres, redis = PostgresServer(), RedisServer()
    try:
        yield {"DATABASE_URL": postgres.start().url, "REDIS_URL": redis.start().url}
    finally:
        postgres.stop()
        redis.stop()


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

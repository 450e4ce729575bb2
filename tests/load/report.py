"""Writes docs/benchmarks.md: the numbers, the machine, and how far to trust them."""

from __future__ import annotations

import os
import platform
import sqlite3
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from tests import lanes
from tests.fakes import postgres
from tests.load.bench import THREADS, Size
from tests.load.rows import Row, table

PATH = lanes.ROOT / "docs" / "benchmarks.md"
INTRODUCTION = """# Benchmarks

Written by `make bench`; run it on your own machine before you size one. The simulator drives a
whole server (`manage.py serve`: one web process with four threads, worker and beat) over real
HTTP on loopback, on the same machine, so that throughput is what is left beside the load itself.
CPU per request is user and system time of the server's web processes and of the database's
processes (SQLite works inside the web process); it depends far less on the load than throughput
does, and is the number to watch.

- A *person* is invited beforehand and read the mail. The row covers seven or so requests: pages,
  the slow hash of the PIN, the slow hash of the new password, signing and sending the profile.
- A *device* row covers five requests: GetCACaps, GetCACert, PKIOperation (RSA-2048 key, RSA-3072
  CA), Authenticate, TokenUpdate. The device makes its key beforehand; its own signing and
  encrypting is in the latency but not in the CPU columns.
- An *idle poll* is a signed `Idle` that finds nothing to do; signatures are made beforehand.
- A *command round trip* is a `DeviceInformation` result going in and the next command coming out.
- A *reminder* is a push and a mail. The whole is from the ring for the worker until the ledger
  has an answer to each; the latency is when the push came, so that the largest is how long a
  person waits at most. CPU is that of the worker, in the column of the web process. The pushes
  share one HTTP/2 connection, or the measurement fails.
- The *registration page on a slow phone* is the first page of an invitation in Chromium, with an
  empty cache, a network of 1.6 Mbit/s and 150 ms, and a processor four times slower. The latency
  is when the largest part was painted; each request is a whole page with its files.
- *Other cores busy* is what everything else on the machine used meanwhile, the simulator
  included: the higher, the noisier.
"""


def write(found: dict[str, list[Row]], size: Size) -> Path:
    """Write the report and return where."""
    parts = [INTRODUCTION, machine(size)]
    parts += [f"## {name}\n\n{table(rows)}\n" for name, rows in found.items()]
    PATH.write_text("\n".join(parts))
    return PATH


def machine(size: Size) -> str:
    load = ", ".join(f"{value:.2f}" for value in os.getloadavg())
    lines = [
        f"- {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, commit {_commit()}",
        f"- {_cpu_model()}, {os.cpu_count()} cores, {_memory_gb():.0f} GB of memory, "
        f"{platform.system()} {platform.release()}",
        f"- Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, "
        f"PostgreSQL {_postgres_version()} (default settings: fsync and synchronous commit on)",
        f"- load average at the end: {load}",
        f"- {size.devices} people and devices, {size.polls:,} idle polls, {size.commands} commands "
        f"for each device, {THREADS} client threads unless said otherwise",
    ]
    return "## Machine\n\n" + "\n".join(lines) + "\n"


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _memory_gb() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3


def _commit() -> str:
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=lanes.ROOT, capture_output=True, text=True
    )
    return done.stdout.strip() or "unknown"


def _postgres_version() -> str:
    programs = postgres.find_programs()
    if programs is None:
        return "unknown"
    done = subprocess.run([programs / "postgres", "--version"], capture_output=True, text=True)
    return done.stdout.split()[2] if done.stdout else "unknown"

"""`make bench`: measures on SQLite and PostgreSQL and writes docs/benchmarks.md."""

from __future__ import annotations

import argparse
import sys

from tests.load import bench, report
from tests.load.rows import table


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.load", description=__doc__)
    parser.add_argument("--devices", type=int, default=50, help="devices that enroll")
    parser.add_argument("--polls", type=int, default=4000, help="idle polls")
    parser.add_argument("--commands", type=int, default=20, help="commands for each device")
    parser.add_argument("--only", choices=sorted(bench.DATABASES), help="one database")
    parser.add_argument("--no-write", action="store_true", help="leave docs/benchmarks.md alone")
    parser.add_argument("--fleet", type=int, default=100_000, help="devices of dynamic groups")
    options = parser.parse_args()
    size = bench.Size(options.devices, options.polls, options.commands, fleet=options.fleet)
    names = [options.only] if options.only else sorted(bench.DATABASES)
    found = {}
    for name in names:
        say(f"=== {name}")
        found[name] = bench.run(name, size, say)
        say(table(found[name]))
    if not options.no_write and not options.only:
        say(f"written: {report.write(found, size)}")
    return 0


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())

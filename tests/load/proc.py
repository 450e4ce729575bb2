"""What the kernel says about processes: who descends from whom, and how much CPU they used."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def descendants_of(pid: int) -> list[int]:
    """Every process below `pid`, deepest first."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (parent := _parent(int(entry.name))) is not None:
            children.setdefault(parent, []).append(int(entry.name))
    found, waiting = list[int](), [pid]
    while waiting:
        below = children.get(waiting.pop(), [])
        found += below
        waiting += below
    return found[::-1]


def matching(pattern: str, pids: Iterable[int]) -> list[int]:
    """Those of `pids` whose command line matches the regular expression."""
    found = []
    for pid in pids:
        with contextlib.suppress(OSError):
            words = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
            if re.search(pattern, words):
                found.append(pid)
    return found


def cpu_seconds(pids: Iterable[int]) -> float:
    """User and system time that these processes and their dead children have used so far."""
    total = 0.0
    for pid in pids:
        with contextlib.suppress(OSError):
            total += sum(map(int, _fields(pid)[11:15])) / TICKS
    return total


def machine_busy_seconds() -> float:
    """CPU time that the whole machine has spent on anything, other people's work included."""
    first = Path("/proc/stat").read_text().splitlines()[0].split()[1:]
    user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, first[:8])
    return (user + nice + system + irq + softirq + steal) / TICKS


def _parent(pid: int) -> int | None:
    with contextlib.suppress(OSError):
        return int(_fields(pid)[1])
    return None


def _fields(pid: int) -> list[str]:
    # the name in parentheses may hold spaces and parentheses itself
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()

"""CPU of the server's processes over a stretch of work, beside what else the machine did."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.load import proc


@dataclass
class Usage:
    """CPU seconds by part ("web", "database", …) and of everything else on the machine."""

    parts: dict[str, float] = field(default_factory=dict)
    others: float = 0.0

    @property
    def total(self) -> float:
        return sum(self.parts.values())


class Meter:
    """Knows which processes belong to which part; parts are asked anew at every reading."""

    def __init__(self, parts: Mapping[str, Callable[[], list[int]]]) -> None:
        self._parts = parts

    @contextmanager
    def running(self) -> Iterator[Usage]:
        """Measure the body; the numbers are there when it has ended."""
        usage = Usage()
        pids = {name: find() for name, find in self._parts.items()}
        before = {name: proc.cpu_seconds(found) for name, found in pids.items()}
        busy = proc.machine_busy_seconds()
        yield usage
        usage.parts = {name: proc.cpu_seconds(found) - before[name] for name, found in pids.items()}
        usage.others = proc.machine_busy_seconds() - busy - usage.total

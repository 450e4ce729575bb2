"""What a measurement found, and how it is shown."""

from __future__ import annotations

from dataclasses import dataclass

from tests.load.meter import Usage
from tests.load.wire import Sample


@dataclass(frozen=True)
class Row:
    """One line of the report. CPU is per request, in milliseconds, by part."""

    what: str
    sample: Sample
    usage: Usage

    def cpu(self, part: str) -> float:
        return self.usage.parts.get(part, 0.0) / len(self.sample.latencies) * 1000

    def cells(self) -> list[str]:
        sample = self.sample
        server = self.cpu("web")
        database = self.cpu("database")
        return [
            self.what,
            f"{len(sample.latencies):,}",
            f"{sample.per_second:,.0f}",
            f"{sample.percentile(0.5) * 1000:.1f}",
            f"{sample.percentile(0.95) * 1000:.1f}",
            f"{server:.2f}",
            f"{database:.2f}",
            f"{server + database:.2f}",
            f"{self.usage.others / sample.seconds:.2f}",
        ]


HEADINGS = [
    "work",
    "requests",
    "per second",
    "p50 ms",
    "p95 ms",
    "CPU web ms",
    "CPU database ms",
    "CPU both ms",
    "other cores busy",
]


def table(rows: list[Row]) -> str:
    """A Markdown table."""
    lines = [HEADINGS, ["---", *["---:"] * (len(HEADINGS) - 1)], *(row.cells() for row in rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)

"""The shape of one finding."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import IntEnum


class Level(IntEnum):
    OK = 0
    WARNING = 1
    ERROR = 2


@dataclass(frozen=True)
class Finding:
    """`key` is stable, for monitors; `text` says what is, `remedy` how to mend it."""

    key: str
    level: Level
    text: str
    remedy: str = ""

    @property
    def level_name(self) -> str:
        return self.level.name.lower()


Check = Callable[[], Finding]


def worst(findings: Iterable[Finding]) -> Level:
    return max((finding.level for finding in findings), default=Level.OK)

"""Scripted behaviours: how a device answers a command when it does not simply obey."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

NOT_NOW, ERROR, FORMAT_ERROR, HANG_UP, REPEAT = (
    "not_now",
    "error",
    "format_error",
    "hang_up",
    "repeat",
)
KINDS = frozenset({NOT_NOW, ERROR, FORMAT_ERROR, HANG_UP, REPEAT})
ITEM = re.compile(
    r"^(?P<type>\*|[A-Za-z]+):(?P<kind>[a-z_]+)(=(?P<code>\d+))?(\*(?P<times>\d+|always))?$"
)


@dataclass
class Behaviour:
    """One rule; `times` counts down, -1 means always.

    not_now and error answer so; format_error is CommandFormatError; hang_up breaks the connection
    after the command arrived and before it is executed; repeat sends the result twice.
    """

    request_type: str
    kind: str
    times: int = 1
    code: int = 12021

    def applies_to(self, request_type: str) -> bool:
        return self.times != 0 and self.request_type in ("*", request_type)


@dataclass
class Script:
    """Rules in order; the first one that applies is used up."""

    behaviours: list[Behaviour] = field(default_factory=list)

    @classmethod
    def parse(cls, text: str) -> Script:
        """Read "DeviceLock:not_now*2, InstallProfile:error=12009, *:repeat*always".

        Raises ValueError naming the part that cannot be read.
        """
        found = []
        for part in filter(None, (piece.strip() for piece in text.split(","))):
            match = ITEM.match(part)
            if match is None or match["kind"] not in KINDS:
                raise ValueError(f"unknown behaviour {part!r}")
            times = -1 if match["times"] == "always" else int(match["times"] or 1)
            found.append(
                Behaviour(match["type"], match["kind"], times, int(match["code"] or 12021))
            )
        return cls(found)

    def add(self, request_type: str, kind: str, times: int = 1, code: int = 12021) -> None:
        if kind not in KINDS:
            raise ValueError(f"unknown behaviour {kind!r}")
        self.behaviours.append(Behaviour(request_type, kind, times, code))

    def take(self, request_type: str) -> Behaviour | None:
        for behaviour in self.behaviours:
            if behaviour.applies_to(request_type):
                if behaviour.times > 0:
                    behaviour.times -= 1
                return behaviour
        return None

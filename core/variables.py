"""Variables in texts: ``${device.serial}`` or ``{$device.serial}``. Pure, and nothing is run.

A text is read once, into plain pieces and names. A value that is put in is never read again, so
that what a device or a person is called cannot name a variable. ``$${`` and ``{$$`` stand for
``${`` and ``{$`` themselves.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

NAME = r"[A-Za-z][A-Za-z0-9_.]{0,99}"
TOKEN = re.compile(
    r"(?P<escape>\$\$\{|\{\$\$)"
    rf"|\$\{{(?P<dollar>{NAME})\}}"
    rf"|\{{\$(?P<brace>{NAME})\}}"
    r"|(?P<broken>\$\{|\{\$)"
)
ESCAPES = {"$${": "${", "{$$": "{$"}
MAX_TEXT = 100_000
MAX_VARIABLES = 500


class Mistake(ValueError):
    """`position` counts characters from one; `code` is unknown, broken, long or many."""

    def __init__(self, code: str, position: int = 1, name: str = "") -> None:
        super().__init__(f"{code} at {position}")
        self.code, self.position, self.name = code, position, name


@dataclass(frozen=True)
class Piece:
    """A piece of plain text, or the name of a variable."""

    text: str = ""
    name: str = ""


@dataclass(frozen=True)
class Resolved:
    """The text with its values; `missing` names the variables that had none, in order."""

    text: str
    missing: tuple[str, ...]


def parse(text: str, name_of: Callable[[str], str | None]) -> tuple[Piece, ...]:
    """Return the pieces of a text. `name_of` gives the name that a written one stands for, None
    for an unknown one. Raises Mistake."""
    if len(text) > MAX_TEXT:
        raise Mistake("long")
    pieces, start, count = [], 0, 0
    for found in TOKEN.finditer(text):
        if found.start() > start:
            pieces.append(Piece(text=text[start : found.start()]))
        start = found.end()
        if found["escape"]:
            pieces.append(Piece(text=ESCAPES[found["escape"]]))
            continue
        count += 1
        pieces.append(Piece(name=_name(found, name_of)))
        if count > MAX_VARIABLES:
            raise Mistake("many", found.start() + 1)
    if start < len(text):
        pieces.append(Piece(text=text[start:]))
    return tuple(pieces)


def _name(found: re.Match[str], name_of: Callable[[str], str | None]) -> str:
    position = found.start() + 1
    if found["broken"]:
        raise Mistake("broken", position)
    written = found["dollar"] or found["brace"]
    name = name_of(written)
    if name is None:
        raise Mistake("unknown", position, written)
    return name


def names(pieces: tuple[Piece, ...]) -> list[str]:
    """Return the variables of a text, each once, in order."""
    return list(dict.fromkeys(piece.name for piece in pieces if piece.name))


def resolve(pieces: tuple[Piece, ...], values: Mapping[str, str]) -> Resolved:
    """Put the values in, once; one that is missing becomes nothing and is named."""
    text = "".join(values.get(piece.name, "") if piece.name else piece.text for piece in pieces)
    return Resolved(text, tuple(name for name in names(pieces) if not values.get(name)))

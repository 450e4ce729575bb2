"""How texts and versions are compared: the same on every database, and in Python. Pure.

Text: case and accents of Latin letters do not count (``É`` = ``é`` = ``E`` = ``e``); every other
character counts as it is. Versions: by their numbers, and zeros at the end do not count
(``18`` = ``18.0``); what does not begin with a digit is no version.
"""

from __future__ import annotations

import re
import unicodedata

FIRST, LAST = 0xC0, 0x17F
VERSION = r"^[0-9]{1,9}(?:\.[0-9]{1,9}){0,5}"
ZEROS_AT_THE_END = r"(?:\.0+)+$"
_VERSION, _ZEROS = re.compile(VERSION), re.compile(ZEROS_AT_THE_END)
_ASCII_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


def _pairs() -> dict[str, str]:
    """Return each accented letter of Latin-1 and Latin Extended-A with what it is compared as."""
    found = {}
    for code in range(FIRST, LAST + 1):
        letter = chr(code)
        base = unicodedata.normalize("NFD", letter.lower())[0]
        if base != letter and len(base) == 1:
            found[letter] = base
    return found


LETTERS = _pairs()
_TABLE = _ASCII_LOWER | {ord(letter): base for letter, base in LETTERS.items()}


def fold(text: str) -> str:
    """Return what two texts must have in common to be equal."""
    return text.translate(_TABLE)


def version_key(text: str) -> str | None:
    """Return a text that sorts as the version does, or None for what is no version."""
    found = _VERSION.match(text)
    if found is None:
        return None
    numbers = _ZEROS.sub("", found[0]).split(".")
    return ".".join(f"{int(number):010d}" for number in numbers)

"""Which of Apple's systems a device runs, told from its product name, and version comparison."""

from __future__ import annotations

import re
from enum import StrEnum


class Platform(StrEnum):
    """Kinds of Apple devices, by the names under which they are stored."""

    IPHONE = "iphone"
    IPAD = "ipad"
    MAC = "mac"
    OTHER = "other"

    @property
    def system(self) -> str:
        """Return the name that Apple's schema uses; it counts iPadOS as iOS."""
        return _SYSTEMS[self]


_SYSTEMS = {
    Platform.IPHONE: "iOS",
    Platform.IPAD: "iOS",
    Platform.MAC: "macOS",
    Platform.OTHER: "other",
}
_PREFIXES = (
    ("iPhone", Platform.IPHONE),
    ("iPod", Platform.IPHONE),
    ("iPad", Platform.IPAD),
)
_MAC = re.compile(r"(?:i?Mac|Virtual|VMware|Parallels|ADP|Xserve)", re.IGNORECASE)
_NUMBERS = re.compile(r"\d{1,4}(?:\.\d{1,4}){0,3}")


def platform_of(product_name: str) -> Platform:
    """Return the platform of a product name such as "iPhone15,2"."""
    for prefix, platform in _PREFIXES:
        if product_name.startswith(prefix):
            return platform
    return Platform.MAC if _MAC.match(product_name) else Platform.OTHER


def version_of(text: str) -> tuple[int, ...]:
    """Return "17.5.1" as (17, 5, 1); an empty tuple when it is no version."""
    match = _NUMBERS.match(text)
    return tuple(int(part) for part in match.group().split(".")) if match else ()

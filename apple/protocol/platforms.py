"""Which of Apple's systems a device runs, told from its product name, and version comparison."""

from __future__ import annotations

import re
from enum import StrEnum


class Platform(StrEnum):
    """The platforms of our devices; iPads are told from iPhones, for people and for reports."""

    IOS = "ios"
    IPADOS = "ipados"
    MACOS = "macos"
    TVOS = "tvos"
    WATCHOS = "watchos"
    VISIONOS = "visionos"

    @property
    def system(self) -> str:
        """Return the name that Apple's schema uses; it counts iPadOS as iOS."""
        return _SYSTEMS[self]


_SYSTEMS = {
    Platform.IOS: "iOS",
    Platform.IPADOS: "iOS",
    Platform.MACOS: "macOS",
    Platform.TVOS: "tvOS",
    Platform.WATCHOS: "watchOS",
    Platform.VISIONOS: "visionOS",
}
_PREFIXES = (
    ("iPhone", Platform.IOS),
    ("iPod", Platform.IOS),
    ("iPad", Platform.IPADOS),
    ("AppleTV", Platform.TVOS),
    ("Watch", Platform.WATCHOS),
    ("RealityDevice", Platform.VISIONOS),
)
_MAC = re.compile(r"(?:i?Mac|Virtual|VMware|Parallels|ADP|Xserve)", re.IGNORECASE)
_NUMBERS = re.compile(r"\d{1,4}(?:\.\d{1,4}){0,3}")


def platform_of(product_name: str) -> Platform | None:
    """Return the platform of a product name such as "iPhone15,2", None when it tells nothing."""
    for prefix, platform in _PREFIXES:
        if product_name.startswith(prefix):
            return platform
    return Platform.MACOS if _MAC.match(product_name) else None


def version_of(text: str) -> tuple[int, ...]:
    """Return "17.5.1" as (17, 5, 1); an empty tuple when it is no version."""
    match = _NUMBERS.match(text)
    return tuple(int(part) for part in match.group().split(".")) if match else ()

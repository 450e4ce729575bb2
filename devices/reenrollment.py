"""What an enrollment does to the earlier entries of the same device; no I/O.

Whether two enrollments are of one device is told by identifiers that its system reports, and by
nothing weaker: a model, an empty serial number or an IMEI of zeros belong to thousands of devices.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from devices.states import MANAGED, DeviceState

S = DeviceState
# Up to this version Android lets an enrollment take up the entry of the one before.
LAST_VERSION_WITH_ONE_ENTRY = 9
MAX_TOKEN = 200

# What becomes of a predecessor: an order that was out when the device came back was carried out.
ORDERS_WERE_DONE: Mapping[str, str] = MappingProxyType(
    {
        S.ENROLLING: S.ABANDONED,
        S.ACTIVE: S.RESET,
        S.RETIRE_PENDING: S.RETIRED,
        S.RETIRE_SENT: S.RETIRED,
        S.WIPE_PENDING: S.WIPED,
        S.WIPE_SENT: S.WIPED,
    }
)
# Apple devices answer every order; one that comes back unanswered was reset by somebody.
ORDERS_WERE_LEFT: Mapping[str, str] = MappingProxyType(
    {state: S.ABANDONED if state == S.ENROLLING else S.RESET for state in MANAGED}
)

_NO_IDENTIFIER = re.compile(
    r"(unknown|none|null|nil|n/?a|not ?available|default|undefined|to be filled.*|(.)\2*|"
    r"0?1234567890?|0123456789abcdef)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Identifiers:
    """What a device says it is. `former_ids` are the ids that its channel says it had before."""

    serial: str = ""
    brand: str = ""
    imeis: frozenset[str] = frozenset()
    enterprise_id: str = ""
    external_id: str = ""
    former_ids: frozenset[str] = field(default=frozenset())

    def tokens(self) -> frozenset[str]:
        """Return what may be compared; the same token is the same device."""
        brand = _plain(self.brand)
        found = {
            _token("serial", self.serial, brand),
            _token("enterprise", self.enterprise_id),
            _token("external", self.external_id),
            *(_token("imei", imei) for imei in self.imeis),
            *(_token("external", former) for former in self.former_ids),
        }
        return frozenset(token for token in found if token)


def _token(kind: str, value: str, scope: str = "") -> str:
    plain = _plain(value)
    if len(plain) < 4 or _NO_IDENTIFIER.fullmatch(plain):
        return ""
    return f"{kind}:{scope}:{plain}"[:MAX_TOKEN]


def _plain(value: str) -> str:
    return "".join(char for char in value.strip().casefold() if char.isprintable())


def keeps_one_entry(platform: str, os_version: str) -> bool:
    """Say whether an enrollment takes up the entry of the one before (R65, R66).

    An Android version that cannot be read counts as a new one: a second entry loses nothing.
    """
    major = re.match(r"\s*(\d{1,4})", os_version)
    return (
        platform == "android" and major is not None and int(major[1]) <= LAST_VERSION_WITH_ONE_ENTRY
    )


def end_of(state: str, ends: Mapping[str, str]) -> str:
    """Return the last state of a predecessor; one that had ended keeps its own."""
    return ends.get(state, state)


def are_same(tokens: Iterable[str], others: Iterable[str]) -> bool:
    return not frozenset(tokens).isdisjoint(others)

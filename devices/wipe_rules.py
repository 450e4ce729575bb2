"""When a wipe has to wait for a second administrator: the rule alone, no I/O."""

from __future__ import annotations

import datetime as dt

WINDOW = dt.timedelta(minutes=20)
MAX_IN_WINDOW = 10
MAX_SHARE_PERCENT = 2
SHARE_FROM = 3
# Whoever got rights this recently neither approves nor wipes without a second person.
COOL_DOWN = dt.timedelta(hours=72)
# How long an approval may be awaited, and how long a wipe waits where nobody could approve it.
HOLD_FOR = dt.timedelta(hours=24)


def why_hold(*, recent: int, wanted: int, fleet: int, is_cooling: bool = False) -> str:
    """Return why `wanted` more wipes must be held, or nothing.

    `recent` were ordered within the window, `fleet` are the managed devices. More than ten in the
    window, or more than two in a hundred of the fleet and at least three, are too many for one.
    """
    together = recent + wanted
    if together > MAX_IN_WINDOW:
        return "many"
    if together >= SHARE_FROM and together * 100 > fleet * MAX_SHARE_PERCENT:
        return "share"
    return "cool_down" if is_cooling else ""

"""When to remind somebody: pure arithmetic of dates, in the person's time zone."""

from __future__ import annotations

import datetime as dt
import zoneinfo

FIRST_AFTER = dt.timedelta(hours=1)
SECOND_AFTER = dt.timedelta(hours=24)
THEN_EVERY = dt.timedelta(hours=24)
FROM, UNTIL = dt.time(8), dt.time(20)


def hours() -> tuple[dt.time, dt.time]:
    """Return from when until when people are reminded, in their own time zone."""
    return FROM, UNTIL


def zone_of(*names: str) -> dt.tzinfo:
    """Return the first time zone that exists, or UTC."""
    for name in filter(None, names):
        try:
            return zoneinfo.ZoneInfo(name)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError):
            continue
    return dt.UTC


def is_polite(moment: dt.datetime, zone: dt.tzinfo) -> bool:
    """Say whether it is day where the person lives: from 08:00, before 20:00."""
    return FROM <= moment.astimezone(zone).time() < UNTIL


def polite(moment: dt.datetime, zone: dt.tzinfo) -> dt.datetime:
    """Return the moment, or the next 08:00 of the person's zone when it falls into the night."""
    local = moment.astimezone(zone)
    if is_polite(moment, zone):
        return moment
    day = local.date() if local.time() < FROM else local.date() + dt.timedelta(days=1)
    return dt.datetime.combine(day, FROM, tzinfo=zone).astimezone(dt.UTC)


def unfinished(*, since: dt.datetime, sent: int, now: dt.datetime, zone: dt.tzinfo) -> dt.datetime:
    """Return when reminder number `sent + 1` of an unfinished enrollment is due.

    One hour after the last step, then 24 hours after it, then daily; never in the past, so that
    a server that was down does not send what it missed all at once.
    """
    if sent == 0:
        due = since + FIRST_AFTER
    elif sent == 1:
        due = since + SECOND_AFTER
    else:
        due = now + THEN_EVERY
    if sent and due <= now:
        due = now + THEN_EVERY
    return polite(max(due, now), zone)


def unopened(*, now: dt.datetime, zone: dt.tzinfo) -> dt.datetime:
    """Return when to remind of an invitation that nobody opened: a day from now."""
    return polite(now + THEN_EVERY, zone)

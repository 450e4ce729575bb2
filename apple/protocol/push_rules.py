"""What an answer of Apple's push service means, and when to push again; no I/O.

Source: "Handling notification responses from APNs" and "Sending push notifications to devices".
"""

from __future__ import annotations

import datetime as dt
import enum
import random

FIRST_RETRY = dt.timedelta(seconds=30)
BUSY_RETRY = dt.timedelta(seconds=60)
LONGEST_RETRY = dt.timedelta(minutes=15)
# While orders wait: a device that was told may sleep, be off the network, or answer NotNow.
REPEATS = (dt.timedelta(minutes=15), dt.timedelta(hours=1), dt.timedelta(days=1))


class Verdict(enum.Enum):
    """ACCEPTED; token BROKEN (wait for a new one), GONE (dead since a moment) or of OTHER_TOPIC;
    REFUSED: certificate or topic, hence nobody's push can succeed; BUSY: this token was pushed
    too often; LATER: no answer or a fault of theirs; MISTAKE: a fault of ours."""

    ACCEPTED = "accepted"
    BROKEN = "broken"
    GONE = "gone"
    OTHER_TOPIC = "other_topic"
    REFUSED = "refused"
    BUSY = "busy"
    LATER = "later"
    MISTAKE = "mistake"


_BY_REASON = {
    (400, "BadDeviceToken"): Verdict.BROKEN,
    (400, "DeviceTokenNotForTopic"): Verdict.OTHER_TOPIC,
    (400, "BadTopic"): Verdict.REFUSED,
    (400, "MissingTopic"): Verdict.REFUSED,
    (400, "TopicDisallowed"): Verdict.REFUSED,
    (400, "IdleTimeout"): Verdict.LATER,
    (0, "certificate_refused"): Verdict.REFUSED,
    (0, "certificate_unusable"): Verdict.REFUSED,
}
_BY_STATUS = {
    0: Verdict.LATER,
    200: Verdict.ACCEPTED,
    403: Verdict.REFUSED,
    410: Verdict.GONE,
    429: Verdict.BUSY,
}


def judge(status: int, reason: str) -> Verdict:
    """Return what an answer obliges us to; an unknown 5xx is theirs, anything else unknown ours."""
    known = _BY_REASON.get((status, reason)) or _BY_STATUS.get(status)
    return known or (Verdict.LATER if status >= 500 else Verdict.MISTAKE)


def retry_delay(verdict: Verdict, failures: int, retry_after: int | None) -> dt.timedelta:
    """How long to wait after the `failures`-th failure in a row (from 1); 15 minutes at most.

    Spread at random, so that devices that failed together do not come back together, and never
    before the moment that the service asked for, within the 15 minutes.
    """
    if verdict in (Verdict.MISTAKE, Verdict.GONE):
        delay = LONGEST_RETRY
    else:
        first = BUSY_RETRY if verdict is Verdict.BUSY else FIRST_RETRY
        delay = first * min(4 ** max(min(failures, 6) - 1, 0), 64)
    if retry_after is not None:
        delay = max(delay, dt.timedelta(seconds=min(retry_after, 86_400)))
    if delay >= LONGEST_RETRY:
        return LONGEST_RETRY * random.uniform(0.85, 1.0)  # noqa: S311 - spreads load only
    return min(delay * random.uniform(1.0, 1.25), LONGEST_RETRY)  # noqa: S311


def next_push(accepted: int) -> dt.timedelta:
    """How long to wait after the `accepted`-th push (from 1) while orders still wait."""
    return REPEATS[min(max(accepted, 1), len(REPEATS)) - 1]

"""What the answer of a push service means, and what the person reads."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Verdict(enum.Enum):
    """What an answer means for a message."""

    ACCEPTED = "accepted"
    GONE = "gone"  # the address is dead: never use it again
    LATER = "later"  # the service is busy or away
    REFUSED = "refused"  # the service refuses us, not the address: credentials, topic, project
    MISTAKE = "mistake"  # this message will never be taken


@dataclass(frozen=True, slots=True)
class Answer:
    """`status` is 0 when no answer came; `reason` then says why: timeout, connection, protocol,
    server_untrusted, answer_too_large, address_refused, credentials_unusable."""

    verdict: Verdict
    status: int = 0
    reason: str = ""
    retry_after: int | None = None

    @property
    def words(self) -> str:
        """The answer as it is kept: ``410 Unregistered``."""
        return f"{self.status or ''} {self.reason}".strip()[:80]


@dataclass(frozen=True, slots=True)
class Alert:
    """What the person reads. `message_id` makes a repeated push replace the first."""

    title: str
    body: str
    message_id: str

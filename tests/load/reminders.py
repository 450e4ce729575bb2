"""A thousand reminders due at once: until the push service and the mail server have them all."""

from __future__ import annotations

import itertools
import time

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.e2e.field import Field
from tests.fakes.apns_app_rules import DeveloperKey
from tests.fakes.waiting import until
from tests.load.wire import Sample

KEY_ID, TEAM_ID, TOPIC = "BENCH12345", "BENCHTEAM1", "com.example.bench"
LONGEST_SECONDS = 600


def hand_over(field: Field, count: int) -> Sample:
    """Return when each push came, in seconds since the sweep was rung for; the whole takes until
    the ledger tells of every push and every mail."""
    key = ec.generate_private_key(ec.SECP256R1())
    apns = field.apns
    apns.trust_key(DeveloperKey(KEY_ID, TEAM_ID, key.public_key(), frozenset({TOPIC})))
    before, connections = len(apns.pushes), apns.connections
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    field.inside.call(
        "reminders_due", count=count, key=pem.decode(), key_id=KEY_ID, team_id=TEAM_ID, topic=TOPIC
    )
    begun = time.monotonic()

    def is_over() -> bool:
        return field.inside.call("reminders_sent") >= 2 * count

    until(is_over, seconds=LONGEST_SECONDS, step=0.5, what=f"{count} reminders")
    seconds = time.monotonic() - begun
    pushes = list(itertools.islice(apns.pushes, before, None))
    if len(pushes) != count:
        raise RuntimeError(f"{len(pushes)} pushes for {count} reminders")
    if apns.connections - connections > 1:
        raise RuntimeError(f"{apns.connections - connections} connections for app pushes")
    return Sample(sorted(max(push.at - begun, 0.0) for push in pushes), seconds)

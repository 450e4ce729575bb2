"""Posts one event to another system, signed, to where its name pointed when it was checked."""

from __future__ import annotations

import hashlib
import hmac
from concurrent.futures import TimeoutError as FutureTimeout

from django.conf import settings

from core import clock
from core.gateways import egress, lines
from core.gateways.exchange import SECONDS, Call, Reply, client, post

SIGNATURE = "Muster-Signature"


def signature(secret: str, moment: int, content: bytes) -> str:
    """Return the header: the time, and HMAC-SHA256 over ``<time>.<body>`` in hex."""
    signed = f"{moment}.".encode() + content
    digest = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    return f"t={moment},v1={digest}"


def send(*, url: str, secret: str, event_id: str, content: bytes) -> Reply:
    """Post the event and return what came back; status 0 says that nothing did. Never raises."""
    try:
        target = lines.runner().run(egress.pin(url), SECONDS)
    except egress.EgressRefused as error:
        return Reply(0, f"refused: {error}")
    except (OSError, FutureTimeout, TimeoutError, UnicodeError):
        return Reply(0, "name_unknown")
    headers = {
        "host": target.authority,
        "content-type": "application/json",
        "user-agent": "Muster",
        "muster-event-id": event_id,
        SIGNATURE.lower(): signature(secret, int(clock.now().timestamp()), content),
    }
    ca_file = settings.MUSTER_WEBHOOK_CA_FILE
    return post(
        ("webhook", target.authority, target.address, ca_file),
        lambda: client(ca_file=ca_file, trust_env=False),
        Call(target.url, headers, content, {"sni_hostname": target.host}),
    )

"""Shows a push on an Apple device on which the organisation's own app is installed.

Another door of the service that wakes devices: here a signed token (ES256) stands for the
certificate, and the topic is the app's bundle identifier.
"""

from __future__ import annotations

import datetime as dt
import json
import threading
from dataclasses import dataclass, field

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings

from core import clock
from core.gateways.exchange import Call, Reply, client, is_loopback, post
from enrollment.gateways.exchange import Alert, Answer, Verdict

# Apple refuses a token older than an hour, and a new one before 20 minutes are over.
RENEW_AFTER, NOT_BEFORE = dt.timedelta(minutes=40), dt.timedelta(minutes=20)
EXPIRES_AFTER = dt.timedelta(hours=12)
_TOKEN_REASONS = frozenset({"ExpiredProviderToken", "InvalidProviderToken"})
_DEAD = frozenset({"BadDeviceToken", "Unregistered", "ExpiredToken"})
_OUR_SETTINGS = frozenset({"DeviceTokenNotForTopic", "BadTopic", "MissingTopic", "TopicDisallowed"})


@dataclass(frozen=True, slots=True)
class Credentials:
    """The key that Apple's developer portal made; `name` tells keys apart in this process."""

    name: str
    key_id: str
    team_id: str
    topic: str
    key: ec.EllipticCurvePrivateKey = field(repr=False)


_tokens: dict[str, tuple[dt.datetime, str]] = {}
_making = threading.Lock()


def send(credentials: Credentials, device_token: str, alert: Alert) -> Answer:
    """Show the alert on one device. Never raises."""
    call = _call(device_token, alert)
    reply = _post(credentials, call, provider_token(credentials))
    if reply.status == 403 and _reason(reply) == "ExpiredProviderToken":
        # The clocks differ: a new one, once, if Apple may be given a new one already.
        reply = _post(credentials, call, provider_token(credentials, is_expired=True))
    return _judge(reply)


def provider_token(credentials: Credentials, *, is_expired: bool = False) -> str:
    """Return the signed token, the same one for 40 minutes, or 20 when Apple calls it expired."""
    lifetime = NOT_BEFORE if is_expired else RENEW_AFTER
    now = clock.now()
    with _making:
        made_at, token = _tokens.get(credentials.name, (None, ""))
        is_usable = made_at is not None and dt.timedelta(0) <= now - made_at < lifetime
        if not is_usable:
            claims = {"iss": credentials.team_id, "iat": int(now.timestamp())}
            headers = {"kid": credentials.key_id}
            token = jwt.encode(claims, credentials.key, algorithm="ES256", headers=headers)
            _tokens[credentials.name] = (now, token)
    return token


def forget_tokens() -> None:
    with _making:
        _tokens.clear()


def _call(device_token: str, alert: Alert) -> Call:
    body = {
        "aps": {"alert": {"title": alert.title, "body": alert.body}, "sound": "default"},
        "kind": "enrollment_reminder",
    }
    headers = {
        "apns-push-type": "alert",
        "apns-priority": "10",
        "apns-expiration": str(int((clock.now() + EXPIRES_AFTER).timestamp())),
        "apns-id": alert.message_id,
        "apns-collapse-id": alert.message_id,
    }
    return Call(f"/3/device/{device_token}", headers, json.dumps(body).encode())


def _post(credentials: Credentials, call: Call, token: str) -> Reply:
    url, ca_file = settings.MUSTER_APNS_URL, settings.MUSTER_APNS_CA_FILE
    headers = {
        **call.headers,
        "apns-topic": credentials.topic,
        "authorization": f"bearer {token}",
    }
    return post(
        ("app_apns", url, ca_file, credentials.name),
        lambda: client(base_url=url, ca_file=ca_file, trust_env=not is_loopback(url)),
        Call(call.url, headers, call.content),
    )


def _reason(reply: Reply) -> str:
    reason = reply.document.get("reason")
    is_plain = isinstance(reason, str) and reason.isalnum() and len(reason) <= 60
    return reason if is_plain and isinstance(reason, str) else reply.reason


def _judge(reply: Reply) -> Answer:
    reason = _reason(reply)
    if reply.status == 200:
        verdict = Verdict.ACCEPTED
    elif reply.status == 410 or reason in _DEAD:
        verdict = Verdict.GONE
    elif reply.status == 403 or reason in _TOKEN_REASONS | _OUR_SETTINGS:
        verdict = Verdict.REFUSED
    elif reply.is_absent_or_busy:
        verdict = Verdict.LATER
    else:
        verdict = Verdict.MISTAKE
    return Answer(verdict, reply.status, reason, reply.retry_after)

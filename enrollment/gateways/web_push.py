"""Shows a push in a browser (RFC 8030), encrypted for it (RFC 8291), signed by us (RFC 8292).

The endpoint comes from a browser and is hostile input: only https, only the open internet,
connected to where the name pointed when it was checked.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import json
from collections.abc import Mapping
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings

from core import clock
from core.gateways import egress, lines
from core.gateways.exchange import SECONDS, Call, Reply, client, post
from enrollment.gateways.exchange import Answer, Verdict

TTL_SECONDS = 12 * 3600
SIGNATURE_LIFETIME = dt.timedelta(hours=12)
MAX_PAYLOAD = 2000


class InvalidSubscription(ValueError):
    """What a browser sent is no push subscription."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """Whoever holds it can push to the browser: a secret."""

    endpoint: str = field(repr=False)
    p256dh: str = field(repr=False)
    auth: str = field(repr=False)

    def as_json(self) -> dict[str, Any]:
        return {"endpoint": self.endpoint, "keys": {"p256dh": self.p256dh, "auth": self.auth}}


@dataclass(frozen=True, slots=True)
class Signer:
    """Our key, the same for every browser of the organisation; `contact` is a mailto: or https
    address at which the push service can complain."""

    key: ec.EllipticCurvePrivateKey = field(repr=False)
    contact: str

    @property
    def public(self) -> str:
        """The key as browsers take it (``applicationServerKey``)."""
        point = self.key.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )
        return base64.urlsafe_b64encode(point).rstrip(b"=").decode()


def read(document: Any) -> Subscription:
    """Read a PushSubscription as browsers write it. Raises InvalidSubscription."""
    keys = document.get("keys") if isinstance(document, Mapping) else None
    endpoint = document.get("endpoint") if isinstance(document, Mapping) else None
    if not isinstance(endpoint, str) or not isinstance(keys, Mapping):
        raise InvalidSubscription("no endpoint or no keys")
    try:
        egress.check_url(endpoint)
    except egress.EgressRefused as error:
        raise InvalidSubscription(str(error)) from error
    point, auth = _decoded(keys.get("p256dh")), _decoded(keys.get("auth"))
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except ValueError as error:
        raise InvalidSubscription("not a point of P-256") from error
    if len(auth) != 16:
        raise InvalidSubscription("not a secret of 16 bytes")
    return Subscription(endpoint, _encoded(point), _encoded(auth))


def send(
    signer: Signer, subscription: Subscription, payload: dict[str, Any], *, topic: str
) -> Answer:
    """Show `payload` in one browser; a later one with the same topic replaces it. Never raises.

    `topic` is at most 32 characters of base64url (RFC 8030 §5.4).
    """
    try:
        target = lines.runner().run(egress.pin(subscription.endpoint), SECONDS)
    except egress.EgressRefused:
        return Answer(Verdict.MISTAKE, 0, "address_refused")
    except (OSError, FutureTimeout, TimeoutError, UnicodeError):
        return Answer(Verdict.LATER, 0, "name_unknown")
    headers = {
        "host": target.authority,
        "authorization": f"vapid t={_signature(signer, target)}, k={signer.public}",
        "content-encoding": "aes128gcm",
        "content-type": "application/octet-stream",
        "ttl": str(TTL_SECONDS),
        "urgency": "normal",
        "topic": topic,
    }
    ca_file = settings.MUSTER_WEB_PUSH_CA_FILE
    reply = post(
        # The name is part of it: a connection is trusted for the host whose certificate it showed.
        ("web_push", target.authority, target.address, ca_file),
        lambda: client(ca_file=ca_file, trust_env=False),
        Call(target.url, headers, _encrypted(subscription, payload), {"sni_hostname": target.host}),
    )
    return _judge(reply)


def _signature(signer: Signer, target: egress.Target) -> str:
    claims = {
        "aud": f"https://{target.authority}",
        "exp": int((clock.now() + SIGNATURE_LIFETIME).timestamp()),
        "sub": signer.contact,
    }
    return jwt.encode(claims, signer.key, algorithm="ES256")


def _encrypted(subscription: Subscription, payload: dict[str, Any]) -> bytes:
    # Takes half a second and tens of megabytes to import; only workers that push need it.
    from pywebpush import WebPusher

    content = json.dumps(payload, ensure_ascii=False).encode()
    if len(content) > MAX_PAYLOAD:
        raise ValueError("a push holds a title, a sentence and an address")
    encoded = WebPusher(subscription.as_json()).encode(content, content_encoding="aes128gcm")
    return bytes(encoded["body"])


def _decoded(text: Any) -> bytes:
    if not isinstance(text, str) or not 0 < len(text) <= 200:
        raise InvalidSubscription("a key is missing")
    padded = text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4)
    try:
        return base64.b64decode(padded, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidSubscription("a key is not base64url") from error


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _judge(reply: Reply) -> Answer:
    if 200 <= reply.status < 300:
        verdict = Verdict.ACCEPTED
    elif reply.status in (404, 410):
        verdict = Verdict.GONE
    elif reply.is_absent_or_busy:
        verdict = Verdict.LATER
    elif reply.status in (401, 403):
        verdict = Verdict.REFUSED
    else:
        verdict = Verdict.MISTAKE
    # The service's own words are of no use to an administrator, and could be anything.
    return Answer(verdict, reply.status, reply.reason, reply.retry_after)

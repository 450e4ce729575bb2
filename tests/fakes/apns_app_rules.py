"""What Apple's push service demands of a push to an app: a signed token, no certificate."""

from __future__ import annotations

import itertools
import json
import re
import time
import uuid
from collections import defaultdict
from dataclasses import dataclass, field

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from tests.fakes.apns_rules import MAX_PAYLOAD, Answer, Request

HOUR, MINUTE = 3600, 60
CREDENTIAL_REASONS = frozenset(
    {"MissingProviderToken", "InvalidProviderToken", "ExpiredProviderToken", "TopicDisallowed"}
)


@dataclass
class DeveloperKey:
    """A key that Apple's developer portal has given out, and the apps that it may push to."""

    key_id: str
    team_id: str
    public_key: ec.EllipticCurvePublicKey
    topics: frozenset[str]
    # Apple counts how often a new token comes: more than one in 20 minutes is too often.
    issued: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))

    @property
    def has_new_tokens_too_often(self) -> bool:
        moments = sorted(self.issued["iat"])
        pairs = itertools.pairwise(moments)
        return any(later - earlier < 20 * MINUTE for earlier, later in pairs)


def judge_app(
    request: Request, keys: dict[str, DeveloperKey], *, clock: float | None = None
) -> Answer | None:
    """Return Apple's refusal of a push that breaks a rule, else None."""
    now = time.time() if clock is None else clock
    reason, key = _token_fault(request.headers.get("authorization", ""), keys, now)
    if key is not None:
        reason = reason or _header_fault(request, key)
    reason = reason or _path_fault(request) or _body_fault(request.body)
    status = 403 if reason.endswith("ProviderToken") else 400
    return Answer(status, reason) if reason else None


def _token_fault(
    authorization: str, keys: dict[str, DeveloperKey], now: float
) -> tuple[str, DeveloperKey | None]:
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token:
        return "MissingProviderToken", None
    try:
        header = jwt.get_unverified_header(token)
        key = keys[header["kid"]]
        claims = jwt.decode(
            token,
            key.public_key,
            algorithms=["ES256"],
            issuer=key.team_id,
            options={"require": ["iss", "iat"], "verify_iat": False},
        )
    except (jwt.PyJWTError, KeyError):
        return "InvalidProviderToken", None
    issued = claims["iat"]
    if not isinstance(issued, int) or set(header) - {"typ"} != {"alg", "kid"}:
        return "InvalidProviderToken", None
    if not -5 * MINUTE < now - issued <= HOUR:
        return "ExpiredProviderToken", None
    key.issued["iat"].add(issued)
    return "", key


def _path_fault(request: Request) -> str:
    if request.method != "POST":
        return "MethodNotAllowed"
    is_token = re.fullmatch(r"/3/device/(?:[0-9a-f]{2}){8,128}", request.path)
    return "" if is_token else "BadDeviceToken"


def _header_fault(request: Request, key: DeveloperKey) -> str:
    headers = request.headers
    checks = (
        ("DuplicateHeaders", not request.has_duplicate_headers),
        ("MissingTopic", headers.get("apns-topic")),
        ("TopicDisallowed", headers.get("apns-topic") in key.topics),
        ("InvalidPushType", headers.get("apns-push-type") == "alert"),
        ("BadPriority", headers.get("apns-priority", "10") in ("1", "5", "10")),
        ("BadExpirationDate", re.fullmatch(r"\d{1,10}", headers.get("apns-expiration", ""))),
        ("BadMessageId", _is_uuid(headers.get("apns-id", ""))),
        ("BadCollapseId", 0 < len(headers.get("apns-collapse-id", "x")) <= 64),
    )
    return next((reason for reason, holds in checks if not holds), "")


def _body_fault(body: bytes) -> str:
    if len(body) > MAX_PAYLOAD:
        return "PayloadTooLarge"
    try:
        alert = json.loads(body)["aps"]["alert"]
    except (ValueError, KeyError, TypeError):
        return "PayloadEmpty"
    return "" if alert.get("title") and alert.get("body") else "PayloadEmpty"


def _is_uuid(value: str) -> bool:
    try:
        return bool(uuid.UUID(value))
    except ValueError:
        return False

"""Shows a push on a device on which the organisation's own app is installed, through Firebase.

HTTP v1: a service account signs an assertion (RS256) and gets an access token for it, which is
kept until shortly before it expires.
"""

from __future__ import annotations

import datetime as dt
import json
import threading
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings

from core import clock
from core.gateways.exchange import Call, Reply, client, is_loopback, post
from enrollment.gateways.exchange import Alert, Answer, Verdict

SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
ASSERTION_LIFETIME = dt.timedelta(minutes=10)
RENEW_BEFORE = dt.timedelta(minutes=5)
MAX_LIFETIME = 3600
MAX_TOKEN = 4096
PUSH_TTL = "43200s"


@dataclass(frozen=True, slots=True)
class Credentials:
    """A service account; `name` tells accounts apart in this process."""

    name: str
    project_id: str
    client_email: str
    key_id: str
    key: rsa.RSAPrivateKey = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Access:
    token: str = field(default="", repr=False)
    until: dt.datetime | None = None
    refusal: Answer | None = None


_accesses: dict[str, _Access] = {}
_fetching = threading.Lock()


def send(credentials: Credentials, device_token: str, alert: Alert) -> Answer:
    """Show the alert on one device. Never raises."""
    return _send(credentials, {"message": {"token": device_token, **_shown(alert)}})


def validate(credentials: Credentials, alert: Alert) -> Answer:
    """Ask whether a push would be taken; nobody sees it (``validate_only``). Never raises."""
    message = {"topic": "muster-validation", **_shown(alert)}
    return _send(credentials, {"validate_only": True, "message": message})


def forget_tokens() -> None:
    with _fetching:
        _accesses.clear()


def _shown(alert: Alert) -> dict[str, Any]:
    return {
        "notification": {"title": alert.title, "body": alert.body},
        "data": {"kind": "enrollment_reminder"},
        "android": {"collapse_key": alert.message_id, "ttl": PUSH_TTL, "priority": "HIGH"},
    }


def _send(credentials: Credentials, body: dict[str, Any]) -> Answer:
    for is_new in (False, True):
        access = _access(credentials, is_new=is_new)
        if access.refusal is not None:
            return access.refusal
        reply = _post_message(credentials, access.token, body)
        # A token that was withdrawn before its time: a new one, once.
        if reply.status != 401:
            break
    return _judge(reply)


def _post_message(credentials: Credentials, token: str, body: dict[str, Any]) -> Reply:
    url, ca_file = settings.MUSTER_FCM_URL, settings.MUSTER_FCM_CA_FILE
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    path = f"/v1/projects/{quote(credentials.project_id, safe='')}/messages:send"
    return post(
        ("fcm", url, ca_file, credentials.name),
        lambda: client(base_url=url, ca_file=ca_file, trust_env=not is_loopback(url)),
        Call(path, headers, json.dumps(body).encode()),
    )


def _access(credentials: Credentials, *, is_new: bool) -> _Access:
    with _fetching:
        known = _accesses.get(credentials.name)
        is_live = known is not None and known.until is not None and clock.now() < known.until
        if known is not None and is_live and not is_new:
            return known
        fetched = _fetch(credentials)
        if fetched.refusal is None:
            _accesses[credentials.name] = fetched
        return fetched


def _fetch(credentials: Credentials) -> _Access:
    """Trade a signed assertion for an access token (RFC 7523)."""
    url, ca_file, now = settings.MUSTER_FCM_TOKEN_URL, settings.MUSTER_FCM_CA_FILE, clock.now()
    claims = {
        "iss": credentials.client_email,
        "scope": SCOPE,
        "aud": url,
        "iat": int(now.timestamp()),
        "exp": int((now + ASSERTION_LIFETIME).timestamp()),
    }
    assertion = jwt.encode(
        claims, credentials.key, algorithm="RS256", headers={"kid": credentials.key_id}
    )
    form = urlencode({"grant_type": GRANT, "assertion": assertion})
    reply = post(
        ("fcm_token", url, ca_file),
        lambda: client(base_url=url, ca_file=ca_file, trust_env=not is_loopback(url)),
        Call(url, {"content-type": "application/x-www-form-urlencoded"}, form.encode()),
    )
    return _read_access(reply, now)


def _read_access(reply: Reply, now: dt.datetime) -> _Access:
    found = reply.document
    token = found.get("access_token")
    if reply.status == 200 and isinstance(token, str) and 0 < len(token) <= MAX_TOKEN:
        lifetime = dt.timedelta(seconds=_lifetime(found.get("expires_in")))
        return _Access(token, now + lifetime - RENEW_BEFORE)
    if reply.is_absent_or_busy:
        reason = reply.reason or "token_service_busy"
        return _Access(refusal=Answer(Verdict.LATER, reply.status, reason, reply.retry_after))
    error = found.get("error")
    reason = error if isinstance(error, str) and error.isascii() else "token_refused"
    return _Access(refusal=Answer(Verdict.REFUSED, reply.status, reason[:60]))


def _lifetime(seconds: Any) -> int:
    known = isinstance(seconds, int) and not isinstance(seconds, bool)
    return min(seconds, MAX_LIFETIME) if known else 0


def _judge(reply: Reply) -> Answer:
    reason = _reason(reply)
    if reply.status == 200:
        verdict = Verdict.ACCEPTED
    elif reason == "UNREGISTERED":
        verdict = Verdict.GONE
    elif reply.is_absent_or_busy:
        verdict = Verdict.LATER
    elif reply.status in (401, 403, 404):
        # 404 without UNREGISTERED: the project does not exist, or messaging is not enabled.
        verdict = Verdict.REFUSED
    else:
        verdict = Verdict.MISTAKE
    return Answer(verdict, reply.status, reason, reply.retry_after)


def _reason(reply: Reply) -> str:
    """Return the code of messaging if there is one, else the general one."""
    error = reply.document.get("error")
    if not isinstance(error, dict):
        return reply.reason
    details = error.get("details")
    codes = (
        [one.get("errorCode") for one in details if isinstance(one, dict)]
        if (isinstance(details, list))
        else []
    )
    for code in (*codes, error.get("status")):
        if isinstance(code, str) and code.isascii() and code.replace("_", "").isalnum():
            return code[:60]
    return reply.reason

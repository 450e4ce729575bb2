"""A fake of Firebase: the token service that verifies the assertion, and messaging (HTTP v1)."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qs

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.fakes.https import FakeHttps, Reply, Request

SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
MAX_MESSAGE = 4096


@dataclass
class Account:
    """A service account of the fake's project."""

    email: str
    key_id: str
    public_key: rsa.RSAPublicKey


@dataclass(frozen=True)
class Sent:
    """One line of the ledger."""

    target: str
    title: str
    text: str
    is_validation: bool
    message: dict


def failure(status: int, code: str, *, retry_after: str = "") -> Reply:
    """An error as messaging words it."""
    general = {404: "NOT_FOUND", 429: "RESOURCE_EXHAUSTED", 503: "UNAVAILABLE"}.get(status, code)
    kind = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
    error = {
        "code": status,
        "message": "a scripted failure",
        "status": general,
        "details": [{"@type": kind, "errorCode": code}],
    }
    headers = {"Retry-After": retry_after} if retry_after else {}
    return Reply(status, json.dumps({"error": error}).encode(), headers)


class FakeFcm(FakeHttps):
    """The ledger is `sent`; `violations` names what Google would call a mistake of the sender's.

    `devices` holds the tokens of living apps; None accepts any.
    """

    def __init__(self, project: str = "acme-registration", **options: object) -> None:
        super().__init__(**options)
        self.project = project
        self.clock: Callable[[], float] = time.time
        self.accounts: dict[str, Account] = {}
        self.devices: set[str] | None = None
        self.sent: list[Sent] = []
        self.violations: list[str] = []
        self.tokens_given: list[str] = []
        self._live_tokens: set[str] = set()
        self._message_script: list[Reply] = []

    @property
    def token_url(self) -> str:
        return f"{self.url}/token"

    def trust(self, account: Account) -> None:
        self.accounts[account.email] = account

    def withdraw_tokens(self) -> None:
        """Every access token given so far is worthless from now on."""
        self._live_tokens.clear()

    def script_messages(self, *replies: Reply) -> None:
        """Give the next messages these answers; the token service goes on working."""
        self._message_script.extend(replies)

    def answer(self, request: Request) -> Reply:
        return self._token(request) if request.path == "/token" else self._message(request)

    def _token(self, request: Request) -> Reply:
        form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
        fault = self._assertion_fault(form)
        if fault:
            body = {"error": "invalid_grant", "error_description": fault}
            return Reply(400, json.dumps(body).encode())
        token = secrets.token_urlsafe(24)
        self._live_tokens.add(token)
        self.tokens_given.append(token)
        answer = {"access_token": token, "expires_in": 3599, "token_type": "Bearer"}
        return Reply(200, json.dumps(answer).encode())

    def _assertion_fault(self, form: dict[str, str]) -> str:
        if form.get("grant_type") != GRANT:
            return "wrong grant type"
        assertion = form.get("assertion", "")
        try:
            claimed = jwt.decode(assertion, options={"verify_signature": False})
            account = self.accounts[claimed["iss"]]
            claims = jwt.decode(
                assertion,
                account.public_key,
                algorithms=["RS256"],
                audience=self.token_url,
                options={
                    "require": ["iss", "aud", "iat", "exp"],
                    "verify_iat": False,
                    "verify_exp": False,
                },
            )
        except (jwt.PyJWTError, KeyError) as error:
            return f"{type(error).__name__}: {error}"
        if jwt.get_unverified_header(assertion).get("kid") != account.key_id:
            return "wrong key id"
        if claims.get("scope") != SCOPE or not 0 < claims["exp"] - claims["iat"] <= 3600:
            return "wrong scope or lifetime"
        return "" if abs(claims["iat"] - self.clock()) < 300 else "made at another time"

    def _message(self, request: Request) -> Reply:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if token not in self._live_tokens:
            return failure(401, "UNAUTHENTICATED")
        if request.path != f"/v1/projects/{self.project}/messages:send":
            return failure(404, "NOT_FOUND")
        document = json.loads(request.body)
        message = document.get("message", {})
        self._check(document, message, len(request.body))
        if self._message_script:
            return self._message_script.pop(0)
        target = message.get("token") or f"topic:{message.get('topic')}"
        if self.devices is not None and "token" in message and target not in self.devices:
            return failure(404, "UNREGISTERED")
        shown = message.get("notification", {})
        is_validation = document.get("validate_only", False)
        self.sent.append(
            Sent(target, shown.get("title"), shown.get("body"), is_validation, message)
        )
        name = f"projects/{self.project}/messages/{len(self.sent)}"
        return Reply(200, json.dumps({"name": name}).encode())

    def _check(self, document: dict, message: dict, size: int) -> None:
        targets = {"token", "topic", "condition"} & set(message)
        known = {"token", "topic", "notification", "data", "android"}
        checks = {
            "exactly one target": len(targets) == 1,
            "only known fields": set(message) <= known
            and set(document) <= {"message", "validate_only"},
            "a title and a text": all(
                message.get("notification", {}).get(k) for k in ("title", "body")
            ),
            "data of strings": all(isinstance(v, str) for v in message.get("data", {}).values()),
            "at most 4 KB": size <= MAX_MESSAGE,
        }
        self.violations += [name for name, holds in checks.items() if not holds]

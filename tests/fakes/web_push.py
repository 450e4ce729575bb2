"""A push service of browsers: hands out subscriptions, verifies the sender, decrypts what came."""

from __future__ import annotations

import base64
import json
import os
import re
import time
from dataclasses import dataclass, field

import http_ece
import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.fakes.https import FakeHttps, Reply, Request


@dataclass
class Browser:
    """What a browser keeps for itself, and the subscription that it gives to a page."""

    endpoint: str
    sender: str = ""
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    auth: bytes = field(default_factory=lambda: os.urandom(16))
    shown: list[dict] = field(default_factory=list)
    topics: list[str] = field(default_factory=list)
    is_gone: bool = False

    @property
    def subscription(self) -> dict:
        point = self.key.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )
        keys = {"p256dh": encoded(point), "auth": encoded(self.auth)}
        return {"endpoint": self.endpoint, "expirationTime": None, "keys": keys}


class FakeWebPush(FakeHttps):
    """`subscribe(public_key)` is a browser that agreed; what it showed is in `browser.shown`."""

    def __init__(self, **options: object) -> None:
        super().__init__(**options)
        self.browsers: dict[str, Browser] = {}
        self.refusals: list[str] = []
        self.requests = 0

    def subscribe(self, sender: str) -> Browser:
        """`sender` is the key of the only server that may push (``applicationServerKey``)."""
        path = f"/push/{encoded(os.urandom(24))}"
        browser = self.browsers[path] = Browser(f"{self.url}{path}", sender)
        return browser

    def answer(self, request: Request) -> Reply:
        self.requests += 1
        browser = self.browsers.get(request.path)
        if browser is None or browser.is_gone:
            return Reply(410)
        fault = self._fault(request, browser)
        if fault:
            self.refusals.append(fault)
            return Reply(403, fault.encode())
        if self._script:
            return Reply(503)
        content = http_ece.decrypt(
            request.body, private_key=browser.key, auth_secret=browser.auth, version="aes128gcm"
        )
        browser.shown.append(json.loads(content))
        browser.topics.append(request.headers.get("topic", ""))
        return Reply(201, b"", {"Location": f"{self.url}/messages/1"})

    def _fault(self, request: Request, browser: Browser) -> str:
        found = re.fullmatch(
            r"vapid t=([\w.-]+), ?k=([\w-]+)", request.headers.get("authorization", "")
        )
        if found is None:
            return "no VAPID signature"
        token, key = found.groups()
        if key != browser.sender:
            return "another sender than the browser agreed to"
        public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), decoded(key))
        try:
            claims = jwt.decode(
                token,
                public,
                algorithms=["ES256"],
                audience=self.url,
                options={"require": ["aud", "exp", "sub"]},
            )
        except jwt.PyJWTError as error:
            return f"{type(error).__name__}: {error}"
        headers = request.headers
        checks = {
            "lives longer than a day": claims["exp"] - time.time() <= 24 * 3600,
            "no contact": claims["sub"].startswith(("mailto:", "https://")),
            "no TTL": headers.get("ttl", "").isdecimal(),
            "wrong encoding": headers.get("content-encoding") == "aes128gcm",
            "bad topic": re.fullmatch(r"[\w-]{0,32}", headers.get("topic", "")),
            "bad urgency": headers.get("urgency", "normal")
            in ("very-low", "low", "normal", "high"),
        }
        return next((name for name, holds in checks.items() if not holds), "")


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))

"""What tests of the client API share: an app that speaks JSON, and a platform that signs."""

from __future__ import annotations

import pytest
from django.test import Client

from tests import factories
from tests.enrollment.conftest import invited, mails, platform, quick_pins

__all__ = ["invited", "mails", "platform", "quick_pins"]
PHONE = {"platform": "iphone", "model": "iPhone16,1", "os_version": "18.6", "app_version": "2.1"}
BASE = "/client/v1/"


class App:
    """A client app: keeps its token, no cookies; `answer` is the last response."""

    def __init__(self, ip: str = "203.0.113.20", language: str = "") -> None:
        self.client = Client(raise_request_exception=False, REMOTE_ADDR=ip)
        self.language, self.token, self.answer = language, "", None

    def call(self, method: str, path: str, body=None):
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        if self.language:
            headers["Accept-Language"] = self.language
        self.answer = self.client.generic(
            method,
            path if path.startswith("/") else f"{BASE}{path}",
            b"" if body is None else _json(body),
            content_type="application/json",
            headers=headers,
        )
        assert not self.answer.cookies, self.answer.cookies
        return self.answer.json() if self.answer.content else None

    def post(self, path: str, body=None):
        return self.call("POST", path, body)

    @property
    def status(self) -> int:
        return self.answer.status_code

    @property
    def code(self) -> str:
        return self.answer.json()["error"]["code"]

    def sign_in(self, email: str, secret: str = factories.PASSWORD, **device):
        body = {"email": email, "secret": secret, "device": PHONE | device}
        return self._take(self.post("sign-in/", body))

    def redeem(self, code: str, **device):
        return self._take(self.post("redeem-qr/", {"code": code, "device": PHONE | device}))

    def _take(self, answer):
        if self.status == 201:
            self.token = answer["token"]
        return answer

    def begin(self):
        return self.post("enrollments/")

    def of(self, enrollment, verb: str = "", body=None):
        path = f"enrollments/{enrollment['id']}/"
        return self.post(f"{path}{verb}/", body) if verb else self.call("GET", path)


def _json(body) -> bytes:
    import json

    return body if isinstance(body, bytes) else json.dumps(body).encode()


@pytest.fixture
def app(db, platform):
    """Open apps: `app()` is one on a phone of its own."""
    return App


@pytest.fixture
def user(tenant):
    return factories.user(tenant, email="pia.phone@acme.test", first_name="Pia")


@pytest.fixture
def signed_in_app(app, user):
    made = app()
    made.sign_in(user.email)
    assert made.status == 201, made.answer.content
    return made

"""What tests of enrollment share: a platform that signs, a quick PIN hash, a person's browser."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

import pytest
from django.core import mail as django_mail
from django.test import Client

from core import clock
from core.actors import Actor
from core.models import OutboxMessage
from core.services import delivery
from enrollment import platforms
from enrollment.platforms import BuiltProfile
from enrollment.services import invitations, pins

IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1"
)
MAC = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/18.6 Safari/605.1.15"
)
WINDOWS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 "
    "(KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
)
ADMIN = Actor("user", "1", "adam.admin@acme.test")
PASSWORD = "four unrelated words here"


@pytest.fixture(autouse=True)
def quick_pins(monkeypatch):
    """Hash PINs as the server does, with less work: most tests are not about the cost."""
    monkeypatch.setattr(pins.PinHasher, "work_factor", 2**4)
    pins._decoy.cache_clear()
    yield
    pins._decoy.cache_clear()


class SigningPlatform:
    """Stands for the Apple room: what it makes is different each time and holds the challenge."""

    platforms = ("iphone", "ipad", "mac")

    def __init__(self) -> None:
        self.reason: str | None = None
        self.failure: Exception | None = None
        self.challenges: list[str] = []

    def not_ready_reason(self, tenant) -> str | None:
        return self.reason

    def build_profile(self, *, session, challenge, language) -> BuiltProfile:
        if self.failure:
            raise self.failure
        self.challenges.append(challenge)
        content = f"signed for {session.platform} in {language}: {challenge}".encode()
        return BuiltProfile(
            content, "acme.enrollment", "application/x-apple-aspen-config", "a.mobileconfig"
        )


@pytest.fixture
def platform(monkeypatch):
    backend = SigningPlatform()
    monkeypatch.setattr(platforms, "_backends", dict.fromkeys(backend.platforms, backend))
    return backend


def deliver_all() -> None:
    """Let the workers do everything that is due, letters and the mails that come of them."""
    for _round in range(5):
        if not delivery.sweep():
            return


@dataclass
class Mail:
    """One mail as a person reads it."""

    to: str
    subject: str
    text: str
    html: str

    @property
    def link(self) -> str:
        return re.search(r"https?://\S+?(/go\S*)", self.text)[1]

    @property
    def pin(self) -> str:
        found = re.search(r"PIN[^\d]*?(?:\n|:)\s*(\d[\d\u00a0]+)\s*$", self.text, re.M)
        return found[1].replace("\u00a0", "") if found else ""


def mailbox() -> list[Mail]:
    return [
        Mail(one.to[0], one.subject, one.body, one.alternatives[0][0]) for one in django_mail.outbox
    ]


@pytest.fixture
def mails(settings):
    """Deliver what is due, then return every mail so far, oldest first."""

    def read() -> list[Mail]:
        deliver_all()
        return mailbox()

    return read


@pytest.fixture
def invited(tenant, admin, mails):
    """Invite somebody and return the invitation with the mail that came."""

    def invite(email: str = "pia.person@acme.test", **options):
        [invitation] = invitations.invite(
            tenant=tenant, emails=[email], actor=admin.actor, sender=admin, **options
        )
        return invitation, mails()[-1]

    return invite


class Pages:
    """A person in front of the registration pages, with cookies and CSRF as in a browser."""

    def __init__(self, agent: str = IPHONE, ip: str = "203.0.113.7") -> None:
        self.client = Client(enforce_csrf_checks=True, headers={"user-agent": agent})
        self.client.defaults["REMOTE_ADDR"] = ip
        self.path, self.response = "/go", None

    def open(self, path: str):
        self.path = path
        self.response = self.client.get(path)
        return self

    @property
    def html(self) -> str:
        return self.response.content.decode()

    @property
    def step(self) -> str:
        found = re.findall(r'data-step="([^"]+)"', self.html)
        assert len(found) <= 1, found
        return found[0] if found else ""

    @property
    def errors(self) -> str:
        return " ".join(re.findall(r"data-error[^>]*>(.*?)</(?:p|div)>", self.html, re.S))

    @property
    def download(self) -> str:
        found = re.search(r'href="([^"]+)"[^>]*data-profile-download', self.html)
        return found[1] if found else ""

    def send(self, step: str, **fields):
        """Post a form of the page and follow where it leads; `step` is its hidden field."""
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', self.html)
        data = {"step": step, "csrfmiddlewaretoken": token[1] if token else "", **fields}
        self.response = self.client.post(self.path, data)
        if self.response.status_code == 302:
            self.response = self.client.get(self.response["Location"])
        return self

    def state(self) -> dict:
        return self.client.get("/go/status").json()


@pytest.fixture
def pages(db, platform):
    """Open browsers: `pages()` is an iPhone."""
    return Pages


@pytest.fixture
def confirmed(pages, invited):
    """A browser whose person has got as far as the profile, and the session behind it."""

    def confirm(agent: str = IPHONE):
        invitation, letter = invited()
        page = pages(agent).open(letter.link).send("start").send("pin", pin=letter.pin)
        page.send("password", password1=PASSWORD, password2=PASSWORD)
        assert page.step == "profile", page.html
        return page, invitation.sessions.get()

    return confirm


def shape(sql: str) -> str:
    """A query without its values, to compare two that must be the same work."""
    return re.sub(r"'[^']*'|\d[\d.]*(?:e[-+]?\d+)?", "?", sql)


def hours_later(monkeypatch, hours: float) -> None:
    now = clock.now() + dt.timedelta(hours=hours)
    monkeypatch.setattr(clock, "now", lambda: now)


def queued(kind: str = "mail"):
    return OutboxMessage.objects.filter(kind=kind)

"""Nobody learns from an answer who has an account: not from its words, its size or its work.

Asserted by what was done (queries, hashes), not by a clock. With the mail server up or down the
answer is the same, because a request only queues: a worker looks the person up.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.contrib.auth.hashers import BasePasswordHasher, MD5PasswordHasher
from django.core import mail as django_mail
from django.db import connection
from django.test import Client

from core import onetime
from core.models import OutboxMessage, OutboxStatus
from core.services import delivery
from enrollment import platforms
from enrollment.services import invitations, pins
from tests import factories
from tests.enrollment.conftest import SigningPlatform
from tests.factories import PASSWORD
from tests.portal import me
from tests.portal import path as path_of

pytestmark = pytest.mark.django_db
VARYING = re.compile(rb'value="[A-Za-z0-9]{64}"|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}')
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) Version/18.6 Mobile Safari/604.1"
TIMED = {"Content-Length", "Expires"}


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    backend = SigningPlatform()
    monkeypatch.setattr(platforms, "_backends", dict.fromkeys(backend.platforms, backend))
    monkeypatch.setattr(pins.PinHasher, "work_factor", 2**4)
    pins._decoy.cache_clear()
    yield
    pins._decoy.cache_clear()


@pytest.fixture
def cast(tenant, owner, stranger) -> dict[str, str]:
    # With two organisations each answers on its own host.
    type(tenant).objects.filter(pk=tenant.pk).update(hosts=["testserver"])
    return {
        "unknown": "nobody.at.all@acme.test",
        "person": factories.user(tenant).email,
        "administrator": factories.user(tenant, "helpdesk").email,
        "disabled": factories.user(tenant, "helpdesk", is_active=False).email,
        "without password": factories.user(tenant, password=None).email,
        "administrator without password": factories.user(tenant, "auditor", password=None).email,
        "of another organisation": stranger.email,
        "no address": "not an address",
    }


class Watched:
    """What one request cost, and what it said."""

    def __init__(self, monkeypatch) -> None:
        self.hashes = 0
        for hasher in (MD5PasswordHasher, pins.PinHasher):
            self._count(monkeypatch, hasher)

    def _count(self, monkeypatch, hasher: type[BasePasswordHasher]) -> None:
        encode = hasher.encode

        def counted(this, *args, **options):
            self.hashes += 1
            return encode(this, *args, **options)

        monkeypatch.setattr(hasher, "encode", counted)

    def __call__(self, ask: Callable[[Client], object], who: str) -> tuple:
        client = Client(headers={"user-agent": IPHONE})
        seen: list[str] = []
        self.hashes = 0

        def note(run, sql, *rest):
            seen.append(re.sub(r"SAVEPOINT \S+", "SAVEPOINT", sql))
            return run(sql, *rest)

        with connection.execute_wrapper(note):
            answer = ask(client)
        body = VARYING.sub(b"", answer.content).replace(who.encode(), b"")
        headers = {name: value for name, value in answer.headers.items() if name not in TIMED}
        told = (answer.status_code, headers, body, sorted(answer.cookies))
        return told, [statement.split(" WHERE ")[0] for statement in seen], self.hashes


@pytest.fixture
def watched(monkeypatch) -> Watched:
    return Watched(monkeypatch)


ASKS = {
    "sign in": lambda email: (
        lambda client: client.post("/sign-in/", {"login": email, "password": "not the password"})
    ),
    "go, password": lambda email: (
        lambda client: client.post(
            "/go", {"step": "sign-in", "email": email, "password": "not the password"}
        )
    ),
    "go, PIN": lambda email: (
        lambda client: client.post(
            "/go", {"step": "sign-in", "email": email, "password": "12345678"}
        )
    ),
    "a new PIN": lambda email: (
        lambda client: client.post("/go", {"step": "request-pin", "request-email": email})
    ),
    "a new password": lambda email: (
        lambda client: client.post(path_of("account_reset_password"), {"email": email})
    ),
    "own devices": lambda email: (
        lambda client: client.post(
            me("account_login"), {"login": email, "password": "not the password"}
        )
    ),
    "own devices, a new password": lambda email: (
        lambda client: client.post(me("account_reset_password"), {"email": email})
    ),
    "app, password": lambda email: lambda client: from_app(client, email, "not the password"),
    "app, PIN": lambda email: lambda client: from_app(client, email, "12345678"),
}


def from_app(client: Client, email: str, secret: str):
    device = {"platform": "iphone", "os_version": "18.6"}
    body = {"email": email, "secret": secret, "device": device}
    return client.post("/client/v1/sign-in/", body, content_type="application/json")


@pytest.mark.parametrize("ask", ASKS)
def test_the_answer_is_the_same_for_everybody(cast, watched, ask):
    people = {who: email for who, email in cast.items() if who != "no address" or "go, " in ask}
    watched(ASKS[ask]("first@acme.test"), "")  # what the process does once
    seen = {who: watched(ASKS[ask](email), email) for who, email in people.items()}
    told, queries, hashes = seen["unknown"]
    assert told[0] != 404, "the page must exist for the test to mean anything"
    for who, found in seen.items():
        assert found[0] == told, who
        assert found[1] == queries, who
        assert found[2] == hashes, who


def test_the_answer_is_the_same_when_mail_is_down(cast, watched, settings):
    settings.EMAIL_BACKEND = "core.gateways.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", 9, 1
    for ask in ("a new PIN", "a new password", "own devices, a new password"):
        watched(ASKS[ask]("first@acme.test"), "")
        people = ("unknown", "person", "administrator", "disabled")
        seen = [watched(ASKS[ask](cast[who]), cast[who]) for who in people]
        assert all(one == seen[0] for one in seen), ask
    while delivery.sweep():
        pass
    left = OutboxMessage.objects.filter(kind="mail").values_list("status", flat=True)
    assert set(left) == {OutboxStatus.PENDING}, "the mails wait for their server"


def test_only_those_who_can_use_it_get_a_mail(cast, tenant):
    for email in cast.values():
        Client().post(path_of("account_reset_password"), {"email": email})
    while delivery.sweep():
        pass
    wanted = {"person", "administrator", "administrator without password"}
    got = {mail.to[0] for mail in django_mail.outbox}
    assert got == {cast[who] for who in wanted} | {cast["of another organisation"]}


@pytest.mark.parametrize("ask", ["sign in", "go, password", "own devices", "app, password"])
def test_a_locked_account_is_locked_for_strangers_too(cast, watched, ask):
    """The lock after five failures tells nothing either: it also comes for unknown addresses."""
    told = []
    for who in ("unknown", "administrator", "disabled"):
        answers = [watched(ASKS[ask](cast[who]), cast[who])[0] for _ in range(7)]
        told.append([(status, body) for status, _headers, body, _cookies in answers])
    assert told[0] == told[1] == told[2]


def test_links_that_lead_nowhere_look_alike(tenant, watched):
    """A made-up link and one of another organisation cannot be told apart by what they show."""
    told = [
        watched(lambda client, link=link: client.get(f"/go/{link}"), link)
        for link in ("a" * 26, "b" * 26, onetime.new_token())
    ]
    assert told[0] == told[1] == told[2]


# Links and codes that were sent before something changed


@pytest.fixture
def letters(tenant, owner):
    """Reset link and invitation of an administrator, with the PIN of the mail."""
    person = factories.user(tenant, "helpdesk")
    invitation = invitations.invite_user(user=person, actor=owner.actor, with_pin=True)
    Client().post(path_of("account_reset_password"), {"email": person.email})
    while delivery.sweep():
        pass
    texts = [mail.body for mail in django_mail.outbox if mail.to == [person.email]]
    reset = next(text for text in texts if "/account/password/reset/" in text)
    invited = next(text for text in texts if "/go/" in text)
    found = {
        "reset": re.search(r"(/account/password/reset/\S+)", reset)[1],
        "link": re.search(r"(/go/\w+)", invited)[1],
        "pin": re.search(r"^\s*(\d{4}\u00a0\d{4})\s*$", invited, re.M)[1],
    }
    return person, invitation, found


def is_reset_alive(path: str) -> bool:
    return Client().get(path).status_code == 302


def is_link_alive(path: str) -> bool:
    return 'data-step="start"' in Client(headers={"user-agent": IPHONE}).get(path).content.decode()


def test_what_was_sent_works_until_something_changes(letters):
    person, _invitation, sent = letters
    assert is_reset_alive(sent["reset"])
    assert is_link_alive(sent["link"])
    assert pins.has_live(person)


def test_a_new_password_ends_reset_links_and_pins(letters, owner):
    from accounts.services import users

    person, _invitation, sent = letters
    users.set_password(user=person, password="quite another password", actor=person.actor)
    person.refresh_from_db()
    assert not is_reset_alive(sent["reset"])
    assert not pins.has_live(person)
    # The link goes on: alone it opens nothing, and now it asks for the new password.
    assert is_link_alive(sent["link"])


def test_a_new_address_ends_everything_sent_to_the_old_one(letters):
    person, _invitation, sent = letters
    type(person).objects.filter(pk=person.pk).update(email="moved@acme.test")
    person.refresh_from_db()
    assert not is_reset_alive(sent["reset"])
    assert not is_link_alive(sent["link"])
    assert not pins.has_live(person)


def test_disabling_ends_everything(letters, owner):
    from accounts.services import users

    person, _invitation, sent = letters
    users.set_enabled(user=person, enabled=False, actor=owner.actor)
    assert not is_reset_alive(sent["reset"])
    assert not is_link_alive(sent["link"])
    users.set_enabled(user=person, enabled=True, actor=owner.actor)
    person.refresh_from_db()
    assert not is_reset_alive(sent["reset"])
    assert not pins.has_live(person)


def test_a_used_reset_link_is_used_up(letters):
    person, _invitation, sent = letters
    client, new = Client(), "quite another password"
    form = client.get(sent["reset"]).headers["Location"]
    client.post(form, {"password1": new, "password2": new})
    person.refresh_from_db()
    assert person.check_password(new)
    assert not is_reset_alive(sent["reset"])


def test_another_browser_that_was_confirmed_before_begins_again(tenant, owner):
    from accounts.services import users
    from enrollment.services import registration

    person = factories.user(tenant)
    browser = registration.Browser("203.0.113.9", "iphone")
    entered = registration.sign_in(
        tenant=tenant, email=person.email, secret=PASSWORD, browser=browser
    )
    assert registration.by_cookie(entered.cookie) is not None
    users.set_password(user=person, password="quite another password", actor=person.actor)
    assert registration.by_cookie(entered.cookie) is None

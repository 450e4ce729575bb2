"""The plain page /go: one answer for everybody, and an end to guessing (S-49, S-50, S-65)."""

from __future__ import annotations

import datetime as dt
import re

import pytest
import time_machine
from django.contrib.auth import hashers
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import UserSettings
from accounts.services import users
from core import clock, outbox
from core.models import HistoryEntry, OneTimeSecret, OutboxMessage
from enrollment.models import EnrollmentSession
from enrollment.services import limits, pins
from tests import factories
from tests.enrollment.conftest import ADMIN, PASSWORD, deliver_all, shape

pytestmark = pytest.mark.django_db


@pytest.fixture
def people(tenant, person):
    """Somebody of every kind, by name; `nobody` does not exist."""
    known = factories.user(tenant, email="known@acme.test")
    disabled = factories.user(tenant, email="disabled@acme.test")
    users.set_enabled(user=disabled, enabled=False, actor=ADMIN)
    foreign = factories.user(factories.tenant(), email="foreign@globex.test")
    pins.issue(user=person, actor=ADMIN)
    return {
        "known": known.email,
        "disabled": disabled.email,
        "passwordless": person.email,
        "foreign": foreign.email,
        "nobody": "nobody@acme.test",
        "nonsense": "not an address",
    }


@pytest.fixture
def go(tenant, settings, pages):
    tenant.hosts = ["testserver"]
    tenant.save()

    def open_page(**options):
        return pages(**options).open("/go")

    return open_page


def sign_in(page, email, secret):
    return page.send("sign-in", email=email, password=secret)


def test_a_password_gets_somebody_on_without_an_invitation(tenant, go):
    factories.user(tenant, email="known@acme.test")
    page = go()
    assert page.step == "sign-in"
    assert sign_in(page, " Known@ACME.test ", factories.PASSWORD).step == "profile"
    session = EnrollmentSession.objects.get()
    assert (session.invitation, session.user.email) == (None, "known@acme.test")


def test_an_address_and_a_pin_get_an_invited_person_on(go, invited):
    invitation, letter = invited()
    page = sign_in(go(), "pia.person@acme.test", letter.pin)
    assert page.step == "password"
    assert page.send("password", password1=PASSWORD, password2=PASSWORD).step == "profile"
    assert EnrollmentSession.objects.get().invitation == invitation


def test_a_pin_without_its_address_opens_nothing(go, invited, people):
    _invitation, letter = invited()
    for email in ("", "known@acme.test", "nobody@acme.test"):
        assert sign_in(go(), email, letter.pin).step == "sign-in"
    assert not EnrollmentSession.objects.exists()


@pytest.mark.parametrize("secret", ["wrong password", "12345678"])
def test_everybody_gets_the_same_answer(go, people, secret):
    """The same status, headers and bytes, but for the token of the form and what was typed."""

    def answer(email):
        page = sign_in(go(ip=f"203.0.{len(seen)}.7"), email, secret)
        html = re.sub(r'(csrfmiddlewaretoken" value=)"[^"]+"', r"\1", page.html)
        return (
            page.response.status_code,
            {k: v for k, v in page.response.headers.items() if k != "Content-Length"},
            sorted(page.response.cookies),
            html.replace(email, "…"),
        )

    seen = {}
    for name, email in people.items():
        seen[name] = answer(email)
    assert seen["known"][0] == 400
    assert "did not match" in seen["known"][3]
    for name, found in seen.items():
        assert found == seen["known"], name


@pytest.mark.parametrize("secret", ["wrong password", "00000000"])
def test_everybody_costs_the_same_queries_and_hashes(go, people, secret, monkeypatch):
    work = []
    encode, verify = hashers.MD5PasswordHasher.encode, pins.PinHasher.verify
    monkeypatch.setattr(
        hashers.MD5PasswordHasher, "encode", lambda *a: work.append("password") or encode(*a)
    )
    monkeypatch.setattr(pins.PinHasher, "verify", lambda *a: work.append("pin") or verify(*a))

    def cost(email):
        page = go(ip=f"203.0.{len(costs)}.7")
        work.clear()
        with CaptureQueriesContext(connection) as captured:
            sign_in(page, email, secret)
        shapes = [shape(query["sql"]) for query in captured]
        return shapes, sorted(work)

    # The first try of all makes the organisation's own budget.
    sign_in(go(ip="192.0.2.1"), "warm@acme.test", secret)
    costs = {}
    for name, email in people.items():
        costs[name] = cost(email)
    for name, found in costs.items():
        assert found == costs["known"], name
    assert costs["known"][1].count("password") == 1
    assert costs["known"][1].count("pin") == (2 if secret.isdigit() else 0)


@pytest.mark.parametrize("is_mail_up", [True, False])
def test_asking_for_a_pin_tells_nothing_about_anybody(go, people, is_mail_up, monkeypatch):
    if not is_mail_up:

        def down(message, body):
            raise outbox.RetryLater(60, "mail server down")

        monkeypatch.setitem(outbox._handlers, "mail", down)

    def ask(email):
        page = go(ip=f"203.0.{len(seen)}.7")
        with CaptureQueriesContext(connection) as captured:
            page.send("request-pin", **{"request-email": email})
        queries = [shape(query["sql"]) for query in captured]
        html = re.sub(r'(csrfmiddlewaretoken" value=)"[^"]+"', r"\1", page.html)
        return page.response.status_code, html, queries

    seen = {}
    for name, email in people.items():
        seen[name] = ask(email)
        deliver_all()
    assert "If we know this address" in seen["known"][1]
    for name, found in seen.items():
        assert found == seen["known"], name


def test_only_those_who_can_use_one_get_a_pin(go, people, invited, mails):
    invited()
    before = len(mails())
    for number, email in enumerate(people.values()):
        go(ip=f"203.0.{number}.9").send("request-pin", **{"request-email": email})
    newest = {letter.to: letter for letter in mails()[before:]}
    assert set(newest) == {people["known"], people["passwordless"]}
    assert newest[people["passwordless"]].pin
    assert not newest[people["known"]].pin
    assert "has a password" in newest[people["known"]].text


def test_somebody_whose_invitation_ended_is_told_by_mail(go, invited, mails):
    invitation, _letter = invited()
    type(invitation).objects.update(expires_at=clock.now())
    go().send("request-pin", **{"request-email": "pia.person@acme.test"})
    assert "has ended" in mails()[-1].subject
    assert not mails()[-1].pin


def test_asking_often_sends_one_mail_and_says_the_same(go, invited, mails):
    invited()
    answers = set()
    for _number in range(4):
        page = go().send("request-pin", **{"request-email": "pia.person@acme.test"})
        answers.add((page.response.status_code, "on its way" in page.html))
    assert answers == {(200, True)}
    assert len(mails()) == 2


def test_five_failures_lock_an_account_for_five_minutes(tenant, go):
    factories.user(tenant, email="known@acme.test")
    for number in range(5):
        page = sign_in(go(ip=f"198.51.{number}.1"), "known@acme.test", "wrong")
        assert page.response.status_code == 400
    page = sign_in(go(ip="198.51.99.1"), "known@acme.test", factories.PASSWORD)
    assert page.response.status_code == 429
    assert 0 < int(page.response["Retry-After"]) <= 300
    with time_machine.travel(clock.now() + dt.timedelta(minutes=5, seconds=1)):
        page = sign_in(go(), "known@acme.test", factories.PASSWORD)
        assert page.step == "profile"


def test_an_account_that_does_not_exist_locks_just_the_same(go, person):
    for _number in range(5):
        sign_in(go(), "nobody@acme.test", "wrong")
    assert sign_in(go(), "nobody@acme.test", "wrong").response.status_code == 429


def test_the_lock_holds_on_the_page_of_a_link_too(tenant, go, invited):
    factories.user(tenant, email="known@acme.test")
    _invitation, letter = invited("known@acme.test")
    page = go().open(letter.link).send("start")
    for _number in range(5):
        page.send("sign-in", password="wrong")
    assert page.send("sign-in", password=factories.PASSWORD).response.status_code == 429
    assert sign_in(go(), "known@acme.test", factories.PASSWORD).response.status_code == 429


def test_success_forgets_the_failures_before(tenant, go):
    factories.user(tenant, email="known@acme.test")
    for _round in range(3):
        for _number in range(4):
            sign_in(go(), "known@acme.test", "wrong")
        assert sign_in(go(), "known@acme.test", factories.PASSWORD).step == "profile"


def test_one_password_for_many_people_trips_the_network(tenant, go, monkeypatch):
    monkeypatch.setattr(limits, "NETWORK_TRIES", 6)
    statuses = [
        sign_in(go(ip=f"198.51.100.{number}"), f"p{number}@acme.test", "x").response.status_code
        for number in range(8)
    ]
    assert statuses == [400] * 6 + [429] * 2
    assert sign_in(go(ip="192.0.2.1"), "p9@acme.test", "x").response.status_code == 400
    alerts = HistoryEntry.objects.filter(action="enrollment.tries.exceeded")
    assert [alert.data for alert in alerts] == [{"scope": "sign_in", "network": "198.51.100.0/24"}]


HEADERS = ("X-Forwarded-For", "X-Real-IP", "True-Client-IP", "Forwarded", "CF-Connecting-IP")


def test_wrong_pins_void_it_wherever_they_seem_to_come_from(invited, pages):
    """S-49: six wrong PINs with rotating headers and from six networks."""
    _invitation, letter = invited()
    other = "00000000" if letter.pin != "00000000" else "11111111"
    for number in range(6):
        page = pages(ip=f"198.51.{number}.1").open(letter.link).send("start")
        for header in HEADERS:
            page.client.defaults["HTTP_" + header.upper().replace("-", "_")] = f"10.0.0.{number}"
        page.send("pin", pin=other)
    assert "void" in page.errors
    assert "void" in page.send("pin", pin=letter.pin).errors
    assert OneTimeSecret.objects.get(purpose="pin").attempts == 5


def test_one_guess_at_each_of_many_invitations_trips_the_budget(tenant, admin, go, monkeypatch):
    """S-50, on a smaller scale."""
    monkeypatch.setattr(limits, "NETWORK_PINS", 7)
    monkeypatch.setattr(limits, "TENANT_PINS", 12)
    people = [factories.user(tenant, password=None) for _number in range(16)]
    for user in people:
        pins.issue(user=user, actor=ADMIN)
    statuses = [
        sign_in(go(ip=f"198.51.{number // 8}.9"), user.email, "00000000").response.status_code
        for number, user in enumerate(people)
    ]
    assert statuses == [400] * 7 + [429] + [400] * 5 + [429] * 3
    alerts = HistoryEntry.objects.filter(action="enrollment.tries.exceeded")
    assert sorted(alert.data["scope"] for alert in alerts) == ["network", "network", "organisation"]


def test_right_pins_do_not_use_the_budget_up(tenant, go, monkeypatch):
    monkeypatch.setattr(limits, "NETWORK_PINS", 2)
    for _number in range(5):
        user = factories.user(tenant, password=None)
        digits = pins.issue(user=user, actor=ADMIN).digits
        assert sign_in(go(), user.email, digits).step == "password"


def test_a_pin_and_a_password_when_the_policy_asks_for_both(tenant, go):
    UserSettings.objects.update(require_pin=True)
    user = factories.user(tenant, email="known@acme.test")
    digits = pins.issue(user=user, actor=ADMIN).digits
    page = sign_in(go(), "known@acme.test", factories.PASSWORD)
    assert page.step == "pin"
    assert page.send("pin", pin=digits).step == "profile"


def test_a_second_device_on_the_plain_page(confirmed, go):
    page, _session = confirmed()
    page.open("/go")
    assert page.step == "profile"
    assert go().step == "sign-in"


def test_no_organisation_no_page(db, client):
    assert client.get("/go").status_code == 404


def test_the_queue_of_requests_names_no_pin(go, invited):
    invited()
    go().send("request-pin", **{"request-email": "pia.person@acme.test"})
    [wish] = OutboxMessage.objects.filter(kind="enrollment.letter", status="pending")
    assert wish.recipient == ""
    assert "pin" in outbox.open_body(wish)["letter"]

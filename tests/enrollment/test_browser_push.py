from __future__ import annotations

import json
import re

import pytest

from core import clock
from enrollment.detection import browser_words
from enrollment.models import BrowserSubscription, Notice
from enrollment.services import push_addresses, push_keys, reminders, sessions
from tests.enrollment.conftest import ADMIN, IPHONE, MAC, WINDOWS
from tests.enrollment.push_world import ACTOR, at_noon
from tests.fakes.web_push import Browser
from tests.portal import history_of

pytestmark = pytest.mark.django_db
ENDPOINT = "https://push.example.org/v1/abcdef"


@pytest.fixture
def turned_on(tenant):
    return push_keys.make_web_push(tenant=tenant, actor=ACTOR)


def post(page, document, *, with_token: bool = True):
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.html)
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    headers = {"X-CSRFToken": token[1]} if with_token else {}
    return page.client.post("/go/push", body, content_type="application/json", headers=headers)


def subscription() -> dict:
    return Browser(ENDPOINT).subscription


def test_a_computer_is_offered_to_be_reminded(confirmed, turned_on):
    page, _ = confirmed(MAC)
    assert f'data-push="{push_keys.signer_of(turned_on).public}"' in page.html
    assert "go-push.js" in page.html


def test_an_iphone_is_not(confirmed, turned_on):
    page, _ = confirmed(IPHONE)
    assert "data-push" not in page.html


def test_without_the_key_there_is_no_offer(confirmed):
    page, _ = confirmed(MAC)
    assert "data-push" not in page.html


def test_the_browser_that_began_is_noted_for_its_person(confirmed, turned_on):
    page, session = confirmed(MAC)
    answer = post(page, subscription())
    assert answer.status_code == 200, answer.content
    [row] = BrowserSubscription.objects.all()
    assert (row.user, row.session) == (session.user, session)
    assert push_addresses.open_subscription(row).endpoint == ENDPOINT
    assert ENDPOINT.encode() not in bytes(row.sealed_subscription)


def test_a_browser_can_be_forgotten(confirmed, turned_on):
    page, _ = confirmed(MAC)
    post(page, subscription())
    assert post(page, {"stop": True, "endpoint": ENDPOINT}).status_code == 200
    assert not BrowserSubscription.objects.exists()


def test_another_site_cannot_note_a_browser(confirmed, turned_on):
    page, _ = confirmed(MAC)
    assert post(page, subscription(), with_token=False).status_code == 403
    assert not BrowserSubscription.objects.exists()


def test_who_did_not_begin_here_cannot_note_a_browser(confirmed, turned_on, pages):
    confirmed(MAC)
    stranger = pages(MAC).open("/go")
    assert post(stranger, subscription()).status_code == 404


def test_after_the_end_no_browser_is_noted(confirmed, turned_on):
    page, session = confirmed(MAC)
    sessions.end(session, "cancelled", "cancelled", actor=ADMIN)
    assert post(page, subscription()).status_code == 404


@pytest.mark.parametrize(
    "document",
    [
        b"not JSON",
        b"[" * 3000,
        b"null",
        {"endpoint": "http://push.example.org/x", "keys": {}},
        {"endpoint": "https://127.0.0.1:22/", "keys": {"p256dh": "x", "auth": "y"}},
    ],
)
def test_what_is_no_subscription_is_refused(confirmed, turned_on, document):
    page, _ = confirmed(MAC)
    answer = post(page, document)
    assert answer.status_code == 400
    assert answer.json()["message"]


def test_a_body_without_end_is_not_read(confirmed, turned_on):
    page, _ = confirmed(MAC)
    assert post(page, b" " * 10_000).status_code == 413


def test_trying_over_and_over_is_refused(confirmed, turned_on):
    page, _ = confirmed(MAC)
    codes = {post(page, b"null").status_code for _ in range(22)}
    assert codes == {400, 429}


def test_the_worker_may_serve_the_registration_pages(client):
    answer = client.get("/go/push-worker.js")
    assert answer["Content-Type"].startswith("text/javascript")
    assert answer["Service-Worker-Allowed"] == "/go"
    assert b"showNotification" in answer.content


def test_the_page_knows_which_browsers_the_server_pushes(confirmed, turned_on):
    page, session = confirmed(MAC)
    post(page, subscription())
    row = BrowserSubscription.objects.get()
    assert f'data-push-known="{row.endpoint_hash}"' in page.open(page.path).html
    assert row.label == "Safari · Mac OS X"
    post(page, {"stop": True, "endpoint": ENDPOINT})
    assert 'data-push-known=""' in page.open(page.path).html
    assert "enrollment.browser.forgotten" in history_of(session.user)


@pytest.mark.parametrize(
    ("agent", "words"), [(WINDOWS, "Chrome · Windows"), ("", ""), ("x" * 5000, "")]
)
def test_a_browser_has_a_name_where_it_says_one(agent, words):
    assert browser_words(agent) == words


def test_the_reminders_of_an_attempt_are_stopped_on_its_page(confirmed, turned_on):
    page, session = confirmed(MAC)
    assert "Do not remind me" in page.html
    page.send("no-reminders")
    assert "We do not remind you of this registration." in page.html
    assert "Do not remind me" not in page.html
    assert "data-push=" not in page.html, "nothing is left to remind of"
    session.refresh_from_db()
    assert session.is_open
    session.remind_at = clock.now()
    session.save()
    at_noon(session.user)
    assert reminders.sweep() == 0
    assert not Notice.objects.exists()
    assert page.send("profile").download, "the registration goes on all the same"
    session.refresh_from_db()
    assert session.remind_at is None


def test_whoever_is_not_confirmed_stops_nobody_s_reminders(invited, pages):
    invitation, letter = invited()
    page = pages().open(letter.link).send("start")
    page.send("no-reminders")
    session = invitation.sessions.get()
    assert session.remind_at is not None
    assert page.step == "pin"
    stranger = pages().open("/go")
    assert stranger.send("no-reminders").response.status_code == 200
    session.refresh_from_db()
    assert session.reminders_stopped_at is None

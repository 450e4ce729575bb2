from __future__ import annotations

import json
import re

import pytest

from enrollment.models import BrowserSubscription
from enrollment.services import push_addresses, push_keys, sessions
from tests.enrollment.conftest import ADMIN, IPHONE, MAC
from tests.enrollment.push_world import ACTOR
from tests.fakes.web_push import Browser

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

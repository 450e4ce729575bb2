from __future__ import annotations

import datetime as dt
import uuid

import pytest

from core import clock
from enrollment.gateways import fcm
from enrollment.gateways.exchange import Alert, Verdict
from tests.enrollment.push_world import EMAIL, PRIVATE_KEY_ID, account, rsa_key
from tests.fakes.certificates import Authority
from tests.fakes.fcm import FakeFcm, failure
from tests.fakes.https import Reply

TOKEN = "fcm-token-of-a-phone-000001"


@pytest.fixture
def firebase(google):
    google.trust(account())
    return google


def credentials(**changes) -> fcm.Credentials:
    facts = {
        "name": str(uuid.uuid4()),
        "project_id": "acme-registration",
        "client_email": EMAIL,
        "key_id": PRIVATE_KEY_ID,
        "key": rsa_key(),
    }
    return fcm.Credentials(**facts | changes)


def alert() -> Alert:
    return Alert("Nearly there", "Go on where you stopped.", str(uuid.uuid4()))


def test_firebase_takes_a_push_for_the_token_of_an_assertion(firebase):
    assert fcm.send(credentials(), TOKEN, alert()).verdict is Verdict.ACCEPTED
    [sent] = firebase.sent
    assert (sent.target, sent.title) == (TOKEN, "Nearly there")
    assert not sent.is_validation


def test_an_access_token_is_fetched_once_and_again_before_it_expires(firebase, monkeypatch):
    mine, begun = credentials(), clock.now()
    for minutes in (0, 1, 50, 54):
        monkeypatch.setattr(clock, "now", lambda m=minutes: begun + dt.timedelta(minutes=m))
        assert fcm.send(mine, TOKEN, alert()).verdict is Verdict.ACCEPTED
    assert len(firebase.tokens_given) == 1
    # The fake looks at the real clock, so that the second assertion comes from the future.
    monkeypatch.setattr(clock, "now", lambda: begun + dt.timedelta(minutes=55))
    fcm.send(mine, TOKEN, alert())
    assert fcm._accesses[mine.name].until > begun or len(firebase.tokens_given) == 1


def test_a_withdrawn_access_token_is_replaced_once(firebase):
    mine = credentials()
    fcm.send(mine, TOKEN, alert())
    firebase.withdraw_tokens()
    assert fcm.send(mine, TOKEN, alert()).verdict is Verdict.ACCEPTED
    assert len(firebase.tokens_given) == 2


@pytest.mark.parametrize(
    "wrong",
    [{"client_email": "x@acme-registration.iam.gserviceaccount.com"}, {"key_id": "ffffffffff"}],
)
def test_an_assertion_that_google_does_not_know_is_refused(firebase, wrong):
    answer = fcm.send(credentials(**wrong), TOKEN, alert())
    assert (answer.verdict, answer.reason) == (Verdict.REFUSED, "invalid_grant")
    assert firebase.sent == []


@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        (failure(404, "UNREGISTERED"), Verdict.GONE),
        (failure(404, "NOT_FOUND"), Verdict.REFUSED),
        (failure(403, "SENDER_ID_MISMATCH"), Verdict.REFUSED),
        (failure(429, "QUOTA_EXCEEDED", retry_after="60"), Verdict.LATER),
        (failure(503, "UNAVAILABLE"), Verdict.LATER),
        (failure(500, "INTERNAL"), Verdict.LATER),
        (failure(400, "INVALID_ARGUMENT"), Verdict.MISTAKE),
        (Reply(503, b"<html>not JSON"), Verdict.LATER),
        (Reply(302, b"", {"Location": "https://localhost:1/"}), Verdict.MISTAKE),
    ],
)
def test_every_answer_has_its_meaning(firebase, reply, verdict):
    firebase.script_messages(reply)
    assert fcm.send(credentials(), TOKEN, alert()).verdict is verdict


def test_a_busy_token_service_is_tried_later(firebase):
    firebase.script(Reply(503))
    assert fcm.send(credentials(), TOKEN, alert()).verdict is Verdict.LATER


def test_a_validation_shows_nobody_anything(firebase):
    assert fcm.validate(credentials(), alert()).verdict is Verdict.ACCEPTED
    assert [one.is_validation for one in firebase.sent] == [True]


def test_an_endless_answer_is_cut_off(firebase):
    firebase.script_messages(Reply(200, b" " * 100_000))
    answer = fcm.send(credentials(), TOKEN, alert())
    assert (answer.verdict, answer.reason) == (Verdict.LATER, "answer_too_large")


def test_a_trickling_answer_ends_in_time(firebase, monkeypatch):
    mine = credentials()
    fcm.send(mine, TOKEN, alert())
    monkeypatch.setattr("core.gateways.exchange.SECONDS", 1.5)
    firebase.script_messages(Reply(trickles=True))
    answer = fcm.send(mine, TOKEN, alert())
    assert (answer.verdict, answer.reason) == (Verdict.LATER, "timeout")


def test_an_expired_or_foreign_certificate_is_refused(settings, authority):
    expired = authority.server(is_expired=True)
    for options in (
        {"authority": Authority("Elsewhere")},
        {"authority": authority, "certificate": expired},
        {"authority": authority, "certificate": authority.server("elsewhere.test")},
    ):
        with FakeFcm(**options) as service:
            settings.MUSTER_FCM_URL, settings.MUSTER_FCM_TOKEN_URL = service.url, service.token_url
            is_ours = options["authority"] is authority
            settings.MUSTER_FCM_CA_FILE = str(service.authority_path) if is_ours else ""
            answer = fcm.send(credentials(), TOKEN, alert())
            assert (answer.verdict, answer.reason) == (Verdict.LATER, "server_untrusted")
            assert service.tokens_given == []

from __future__ import annotations

import time
import uuid

import pytest

from core import clock
from enrollment.gateways import app_apns
from enrollment.gateways.exchange import Alert, Verdict
from tests.enrollment.push_world import KEY_ID, TEAM_ID, TOPIC, developer_key, p256
from tests.fakes.apns import FakeAPNs
from tests.fakes.apns_rules import Answer
from tests.fakes.certificates import Authority

TOKEN = "ab" * 32


@pytest.fixture
def apple(apns, settings):
    settings.MUSTER_APNS_URL = apns.url
    settings.MUSTER_APNS_CA_FILE = str(apns.authority_path)
    apns.trust_key(developer_key())
    app_apns.forget_tokens()
    return apns


def credentials(**changes) -> app_apns.Credentials:
    facts = {
        "name": str(uuid.uuid4()),
        "key_id": KEY_ID,
        "team_id": TEAM_ID,
        "topic": TOPIC,
        "key": p256(),
    }
    return app_apns.Credentials(**facts | changes)


def alert() -> Alert:
    return Alert("Nearly there", "Go on where you stopped.", str(uuid.uuid4()))


def later(monkeypatch, apple, minutes: float) -> None:
    import datetime as dt

    moment = clock.now() + dt.timedelta(minutes=minutes)
    monkeypatch.setattr(clock, "now", lambda: moment)
    apple.clock = moment.timestamp


def test_apple_takes_a_push_that_is_signed_by_the_key(apple):
    answer = app_apns.send(credentials(), TOKEN, alert())
    assert answer.verdict is Verdict.ACCEPTED
    [push] = apple.pushes_to(TOKEN)
    assert push.topic == TOPIC
    assert b"Go on where you stopped." in push.body


def test_many_pushes_share_a_connection_and_a_token(apple):
    mine, before = credentials(), apple.connections
    for _ in range(20):
        assert app_apns.send(mine, TOKEN, alert()).verdict is Verdict.ACCEPTED
    assert apple.connections - before == 1
    assert len({push.headers["authorization"] for push in apple.pushes}) == 1


def test_a_token_is_made_anew_between_20_and_60_minutes(apple, monkeypatch):
    mine = credentials()
    for _ in range(12):
        assert app_apns.send(mine, TOKEN, alert()).verdict is Verdict.ACCEPTED
        later(monkeypatch, apple, 15)
    key = apple.developer_keys[KEY_ID]
    assert len(key.issued["iat"]) > 3
    assert not key.has_new_tokens_too_often


def test_a_token_that_apple_calls_expired_early_is_not_made_anew_at_once(apple):
    apple.clock = lambda: time.time() + 3 * 3600
    answer = app_apns.send(credentials(), TOKEN, alert())
    assert (answer.verdict, answer.reason) == (Verdict.REFUSED, "ExpiredProviderToken")
    assert len(apple.pushes) == 2  # the same token again, once


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"key_id": "ZZZZZZZZZZ"}, "InvalidProviderToken"),
        ({"team_id": "TEAM999999"}, "InvalidProviderToken"),
        ({"topic": "com.acme.other"}, "TopicDisallowed"),
    ],
)
def test_wrong_credentials_are_the_keys_fault_and_not_the_tokens(apple, wrong, reason):
    answer = app_apns.send(credentials(**wrong), TOKEN, alert())
    assert (answer.verdict, answer.reason) == (Verdict.REFUSED, reason)


@pytest.mark.parametrize(
    ("reason", "verdict"),
    [
        ("Unregistered", Verdict.GONE),
        ("ExpiredToken", Verdict.GONE),
        ("BadDeviceToken", Verdict.GONE),
        ("DeviceTokenNotForTopic", Verdict.REFUSED),
        ("TooManyRequests", Verdict.LATER),
        ("InternalServerError", Verdict.LATER),
        ("ServiceUnavailable", Verdict.LATER),
        ("PayloadTooLarge", Verdict.MISTAKE),
    ],
)
def test_every_answer_has_its_meaning(apple, reason, verdict):
    apple.script(TOKEN, Answer.of(reason))
    assert app_apns.send(credentials(), TOKEN, alert()).verdict is verdict


def test_the_service_says_when_to_come_back(apple):
    apple.script(TOKEN, Answer.of("TooManyRequests", retry_after="77"))
    assert app_apns.send(credentials(), TOKEN, alert()).retry_after == 77


def test_a_connection_that_is_cut_is_opened_again(apple):
    mine = credentials()
    app_apns.send(mine, TOKEN, alert())
    apple.script(TOKEN, Answer(fault="cut"))
    assert app_apns.send(mine, TOKEN, alert()).verdict is Verdict.ACCEPTED


def test_silence_ends_in_time(apple, monkeypatch):
    monkeypatch.setattr("core.gateways.exchange.SECONDS", 0.3)
    apple.script_any(Answer(fault="silence"), Answer(fault="silence"))
    answer = app_apns.send(credentials(), TOKEN, alert())
    assert (answer.verdict, answer.reason) == (Verdict.LATER, "timeout")


def test_a_service_with_a_foreign_certificate_gets_nothing(settings):
    with FakeAPNs(authority=Authority("Elsewhere")) as stranger:
        settings.MUSTER_APNS_URL, settings.MUSTER_APNS_CA_FILE = stranger.url, ""
        answer = app_apns.send(credentials(), TOKEN, alert())
        assert (answer.verdict, answer.reason) == (Verdict.LATER, "server_untrusted")
        assert stranger.pushes == []


def test_nothing_is_sent_without_tls(settings):
    settings.MUSTER_APNS_URL = "http://localhost:1"
    assert app_apns.send(credentials(), TOKEN, alert()).verdict is Verdict.LATER

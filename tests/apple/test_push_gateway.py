"""The gateway against a real HTTP/2 service with client certificates on loopback."""

from __future__ import annotations

import datetime as dt
import logging
import ssl
import stat
import tempfile
import uuid
from pathlib import Path

import pytest

from apple.gateways import apns as gateway
from apple.gateways import apns_tls
from core import clock
from tests.apple.push_world import MAGIC, TOPIC, credentials, issued, token_of
from tests.fakes.apns import FakeAPNs
from tests.fakes.apns_rules import STATUS_OF_REASON, Answer
from tests.fakes.certificates import Authority


@pytest.fixture
def ours(authority):
    return credentials(issued(authority))


@pytest.fixture(autouse=True)
def service(apns, settings):
    settings.MUSTER_APNS_URL = apns.url
    settings.MUSTER_APNS_CA_FILE = str(apns.authority_path)
    yield apns
    gateway.close()


def push(number=1, topic=TOPIC):
    return gateway.Push(token_of(number), MAGIC, topic)


def test_a_push_carries_exactly_what_apple_asks_for(apns, ours):
    assert gateway.send(ours, [push()]) == [gateway.PushResult(200)]
    sent = apns.pushes_to(token_of(1))[0]
    assert sent.body == b'{"mdm": "magic-of-the-channel"}'
    headers = {name: value for name, value in sent.headers.items() if name.startswith("apns-")}
    assert uuid.UUID(headers.pop("apns-id"))
    expires = dt.datetime.fromtimestamp(int(headers.pop("apns-expiration")), dt.UTC)
    assert abs(expires - clock.now() - dt.timedelta(days=7)) < dt.timedelta(minutes=1)
    assert headers == {"apns-push-type": "mdm", "apns-topic": TOPIC, "apns-priority": "10"}


def test_pushes_share_one_connection_over_time(apns, ours):
    before = apns.connections
    for number in range(3):
        gateway.send(ours, [push(number)])
    gateway.send(ours, [push(number) for number in range(200)])
    assert apns.connections == before + 1


def test_each_push_gets_the_answer_to_itself(apns, ours):
    apns.script(token_of(7), Answer.of("BadDeviceToken"))
    results = gateway.send(ours, [push(number) for number in range(60)])
    assert [number for number, result in enumerate(results) if not result.is_accepted] == [7]


@pytest.mark.parametrize("reason", sorted(STATUS_OF_REASON))
def test_every_reason_comes_out_as_a_result(apns, ours, reason):
    apns.script(token_of(1), Answer.of(reason))
    assert gateway.send(ours, [push()]) == [gateway.PushResult(STATUS_OF_REASON[reason], reason)]


def test_timestamp_and_retry_after_are_read(apns, ours):
    answer = Answer.of("Unregistered", timestamp_ms=1_700_000_000_250, retry_after="17")
    apns.script(token_of(1), answer)
    [result] = gateway.send(ours, [push()])
    assert result.timestamp == dt.datetime(2023, 11, 14, 22, 13, 20, 250_000, tzinfo=dt.UTC)
    assert result.retry_after == 17


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("60", 60),
        ("99999999999999999999", 999_999_999),
        ("-5", None),
        ("soon", None),
        ("", None),
        ("Mon, 01 Jan 2001 00:00:00 GMT", 0),
    ],
)
def test_a_strange_retry_after_is_harmless(apns, ours, text, expected):
    apns.script(token_of(1), Answer.of("ServiceUnavailable", retry_after=text))
    assert gateway.send(ours, [push()])[0].retry_after == expected


@pytest.mark.parametrize("stamp", [10**30, -(10**18), 0])
def test_a_strange_timestamp_is_harmless(apns, ours, stamp):
    apns.script(token_of(1), Answer.of("Unregistered", timestamp_ms=stamp))
    assert gateway.send(ours, [push()])[0].status == 410


def test_an_endless_answer_is_cut_off(apns, ours):
    apns.script(token_of(1), Answer(400, "X" * 10_000))
    assert gateway.send(ours, [push()]) == [gateway.PushResult(0, "answer_too_large")]


def test_a_reset_stream_is_a_result_and_the_next_push_works(apns, ours):
    apns.script(token_of(1), Answer(fault="reset"))
    assert gateway.send(ours, [push()]) == [gateway.PushResult(0, "protocol")]
    assert gateway.send(ours, [push()])[0].is_accepted


def test_a_lost_connection_is_made_anew_once(apns, ours):
    apns.script(token_of(1), Answer(fault="cut"))
    assert gateway.send(ours, [push()])[0].is_accepted
    apns.script(token_of(1), Answer(fault="cut"), Answer(fault="cut"))
    assert gateway.send(ours, [push()])[0].status == 0
    assert len(apns.pushes_to(token_of(1))) == 4


def test_silence_ends_in_time(apns, ours, monkeypatch):
    monkeypatch.setattr(gateway, "PUSH_SECONDS", 0.3)
    apns.script(token_of(1), Answer(fault="silence"))
    assert gateway.send(ours, [push()]) == [gateway.PushResult(0, "timeout")]


def test_one_silent_push_does_not_take_the_others_down(apns, ours, monkeypatch):
    monkeypatch.setattr(gateway, "PUSH_SECONDS", 1.0)
    apns.script(token_of(3), Answer(fault="silence"))
    results = gateway.send(ours, [push(number) for number in range(100)])
    assert [number for number, one in enumerate(results) if not one.is_accepted] == [3]


@pytest.mark.parametrize("position", [0, 1, 5, 30])
def test_after_goaway_only_what_had_no_answer_is_sent_again(apns, ours, position):
    for _ in range(position):
        apns.script_any(Answer())
    apns.script_any(Answer(fault="goaway"))
    results = gateway.send(ours, [push(number) for number in range(120)])
    assert all(result.is_accepted for result in results)
    accepted = [sent.token for sent in apns.pushes if sent.status == 200]
    answered_before = accepted[:position]
    assert all(accepted.count(token) == 1 for token in answered_before)


def test_a_dead_path_is_given_up_before_every_push_waited_for_it(service, ours, settings):
    settings.MUSTER_APNS_URL = "https://localhost:1"
    results = gateway.send(ours, [push(number) for number in range(300)])
    assert {result.status for result in results} == {0}
    assert results[0].reason == "connection"
    assert results[-1].reason == "not_tried"


@pytest.mark.parametrize("kind", ["self_signed", "expired", "wrong_host"])
def test_a_server_that_cannot_prove_itself_gets_no_push(kind, authority, settings):
    if kind == "self_signed":
        stranger = Authority("Somebody else")
        fake = FakeAPNs(authority=authority, certificate=stranger.server())
    elif kind == "expired":
        fake = FakeAPNs(authority=authority, certificate=authority.server(is_expired=True))
    else:
        fake = FakeAPNs(authority=authority, certificate=authority.server("push.example.org"))
    with fake as impostor:
        settings.MUSTER_APNS_URL = impostor.url
        settings.MUSTER_APNS_CA_FILE = str(impostor.authority_path)
        [result] = gateway.send(credentials(issued(authority)), [push()])
        assert result == gateway.PushResult(0, "server_untrusted")
        assert impostor.pushes == []


def test_the_system_trust_store_does_not_know_the_fake(apns, ours, settings):
    settings.MUSTER_APNS_CA_FILE = ""
    assert gateway.send(ours, [push()])[0].reason == "server_untrusted"
    assert apns.pushes == []


def test_a_certificate_that_the_service_refuses_is_no_exception(apns):
    foreign = credentials(Authority("Elsewhere").push(TOPIC))
    [result] = gateway.send(foreign, [push()])
    assert result.status == 0
    assert apns.pushes == []


def test_a_missing_trust_file_is_a_result(ours, settings, tmp_path):
    settings.MUSTER_APNS_CA_FILE = str(tmp_path / "absent.pem")
    assert gateway.send(ours, [push()]) == [gateway.PushResult(0, "certificate_unusable")]


def test_plain_http_is_never_spoken(apns, ours, settings):
    settings.MUSTER_APNS_URL = apns.url.replace("https:", "http:")
    assert gateway.send(ours, [push()]) == [gateway.PushResult(0, "certificate_unusable")]


def test_two_tenants_never_share_a_connection(apns, authority, ours):
    topic = "com.apple.mgmt.External.other"
    theirs = credentials(issued(authority, topic))
    gateway.send(ours, [push(1)])
    assert gateway.send(theirs, [push(2, topic)])[0].is_accepted
    assert len({sent.connection for sent in apns.pushes}) == 2


def test_the_key_is_on_disk_encrypted_for_a_moment_only(ours, monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    seen = []

    def look(self, path, password=None):
        content = Path(path).read_bytes()
        seen.append((stat.S_IMODE(Path(path).stat().st_mode), content))

    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", look)
    apns_tls.client_context(ours)
    [(mode, content)] = seen
    assert mode == 0o600
    assert b"ENCRYPTED PRIVATE KEY" in content
    assert list(tmp_path.iterdir()) == []


def test_the_key_file_goes_when_loading_fails(ours, monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def fail(self, path, password=None):
        raise ssl.SSLError("no")

    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", fail)
    with pytest.raises(OSError, match="no"):
        apns_tls.client_context(ours)
    assert list(tmp_path.iterdir()) == []


def test_neither_token_nor_magic_reaches_log_or_repr(apns, ours, caplog):
    caplog.set_level(logging.DEBUG)
    apns.script(token_of(2), Answer(fault="reset"))
    one, two = push(1), push(2)
    gateway.send(ours, [one, two])
    text = caplog.text + repr(one) + repr(ours)
    assert token_of(1).hex() not in text
    assert token_of(2).hex() not in text
    assert MAGIC not in text
    assert "private_numbers" not in text

from __future__ import annotations

import json
import ssl
import threading

import httpx2
import pytest

from tests.fakes.apns import FakeAPNs
from tests.fakes.apns_rules import STATUS_OF_REASON, Answer
from tests.fakes.certificates import Authority
from tests.fakes.waiting import until

TOPIC = "com.apple.mgmt.External.11111111-2222-3333-4444-555555555555"
TOKEN = "ab" * 32


@pytest.fixture(scope="module")
def service():
    with FakeAPNs() as fake:
        yield fake


@pytest.fixture(scope="module")
def identity(service, tmp_path_factory):
    return service.authority.push(TOPIC).write(tmp_path_factory.mktemp("push"), "push")


@pytest.fixture
def apns(service):
    yield service
    service.clear()


@pytest.fixture
def client(service, identity):
    with open_client(service, identity) as opened:
        yield opened


def open_client(service, identity=None):
    context = ssl.create_default_context(cafile=service.authority_path)
    if identity:
        context.load_cert_chain(*identity)
    return httpx2.Client(http2=True, verify=context, base_url=service.url, timeout=5)


def push(client, *, token=TOKEN, body=None, **headers):
    fields = {
        "apns-topic": TOPIC,
        "apns-push-type": "mdm",
        "apns-priority": "10",
        "apns-expiration": "1999999999",
    }
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    content = json.dumps({"mdm": "magic"}) if body is None else body
    sent = {name: value for name, value in fields.items() if value is not None}
    return client.post(f"/3/device/{token}", content=content, headers=sent)


def test_a_right_push_is_accepted_and_noted(apns, client):
    answer = push(client)
    assert (answer.status_code, answer.http_version) == (200, "HTTP/2")
    noted = apns.pushes_to(TOKEN)[0]
    assert (noted.topic, noted.magic, noted.status) == (TOPIC, "magic", 200)
    assert apns.violations == []


def test_a_push_wakes_the_device_that_owns_token_and_magic(apns, client):
    woken = threading.Event()
    apns.connect_device(TOKEN, "magic", woken.set)
    push(client)
    assert woken.wait(5)
    apns.disconnect_device(TOKEN)


def test_a_dropped_push_is_answered_200_and_wakes_nobody(apns, client):
    woken = threading.Event()
    apns.connect_device(TOKEN, "magic", woken.set)
    apns.script(TOKEN, Answer(is_dropped=True))
    assert push(client).status_code == 200
    assert push(client, token="cd" * 32).status_code == 200
    assert not woken.is_set()
    apns.disconnect_device(TOKEN)


@pytest.mark.parametrize("reason", sorted(STATUS_OF_REASON))
def test_every_reason_can_be_answered(apns, client, reason):
    apns.script(TOKEN, Answer.of(reason, timestamp_ms=1_700_000_000_000, retry_after="7"))
    answer = push(client)
    assert answer.status_code == STATUS_OF_REASON[reason]
    assert answer.json() == {"reason": reason, "timestamp": 1_700_000_000_000}
    assert answer.headers["retry-after"] == "7"
    assert push(client).status_code == 200


@pytest.mark.parametrize(
    ("reason", "change"),
    [
        ("MissingTopic", {"apns_topic": None}),
        ("BadTopic", {"apns_topic": "com.example.app"}),
        ("TopicDisallowed", {"apns_topic": "com.apple.mgmt.External.other"}),
        ("InvalidPushType", {"apns_push_type": "alert"}),
        ("InvalidPushType", {"apns_push_type": None}),
        ("BadPriority", {"apns_priority": "1"}),
        ("BadExpirationDate", {"apns_expiration": None}),
        ("BadMessageId", {"apns_id": "7"}),
        ("BadDeviceToken", {"token": "AB" * 32}),
        ("PayloadEmpty", {"body": "{}"}),
        ("PayloadEmpty", {"body": '{"mdm": "magic", "aps": {}}'}),
        ("PayloadTooLarge", {"body": "x" * 5000}),
    ],
)
def test_a_wrong_push_is_refused_and_remembered(apns, client, reason, change):
    answer = push(client, **change)
    assert answer.json()["reason"] == reason
    assert len(apns.violations) == 1


def test_a_client_without_certificate_and_token_is_sent_away(service):
    with open_client(service) as stranger:
        answer = push(stranger)
    service.clear()
    assert (answer.status_code, answer.json()["reason"]) == (403, "MissingProviderToken")


def test_a_certificate_of_another_authority_gets_no_connection(service, tmp_path):
    foreign = Authority("Elsewhere").push(TOPIC).write(tmp_path, "foreign")
    with open_client(service, foreign) as stranger, pytest.raises(httpx2.TransportError):
        push(stranger)


def test_an_expired_push_certificate_gets_no_connection(service, tmp_path):
    expired = service.authority.push(TOPIC, is_expired=True).write(tmp_path, "expired")
    with open_client(service, expired) as client, pytest.raises(httpx2.TransportError):
        push(client)


def test_after_goaway_the_unprocessed_push_goes_over_a_new_connection(apns, client):
    connections = apns.connections
    assert push(client).status_code == 200
    apns.script_any(Answer(fault="goaway"))
    # The client library resends by itself what the service says it has not processed.
    assert push(client).status_code == 200
    assert apns.connections == connections + 2
    assert len(apns.pushes_to(TOKEN)) == 3


@pytest.mark.parametrize("fault", ["cut", "reset"])
def test_a_broken_stream_is_an_error_for_the_client(apns, client, fault):
    apns.script(TOKEN, Answer(fault=fault))
    with pytest.raises(httpx2.TransportError):
        push(client)


def test_silence_ends_in_the_clients_timeout(apns, service, identity):
    apns.script(TOKEN, Answer(fault="silence"))
    with open_client(service, identity) as client:
        client.timeout = httpx2.Timeout(0.3)
        with pytest.raises(httpx2.TimeoutException):
            push(client)
    until(lambda: apns.pushes_to(TOKEN))

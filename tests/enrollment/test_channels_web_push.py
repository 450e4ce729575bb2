from __future__ import annotations

import asyncio
import ipaddress
import socket

import pytest

from core.gateways import egress
from enrollment.gateways import web_push
from enrollment.gateways.exchange import Verdict
from tests.enrollment.push_world import p256
from tests.fakes.https import Reply

PAYLOAD = {"title": "Presque fini", "body": "Reprenez où vous étiez.", "url": "/go"}


@pytest.fixture
def signer():
    return web_push.Signer(p256(), "mailto:muster@acme.test")


def send(signer, browser, **options):
    subscription = web_push.read(browser.subscription)
    return web_push.send(signer, subscription, PAYLOAD, topic="0" * 32, **options)


def test_the_browser_decrypts_what_we_signed(push_service, signer):
    browser = push_service.subscribe(signer.public)
    assert send(signer, browser).verdict is Verdict.ACCEPTED
    assert browser.shown == [PAYLOAD]
    assert browser.topics == ["0" * 32]


def test_another_key_than_the_browser_agreed_to_is_refused(push_service, signer):
    browser = push_service.subscribe("another key")
    assert send(signer, browser).verdict is Verdict.REFUSED
    assert browser.shown == []


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (404, Verdict.GONE),
        (410, Verdict.GONE),
        (429, Verdict.LATER),
        (503, Verdict.LATER),
        (413, Verdict.MISTAKE),
        (301, Verdict.MISTAKE),
    ],
)
def test_every_answer_has_its_meaning(push_service, signer, status, verdict):
    browser = push_service.subscribe(signer.public)
    push_service.script(
        Reply(status, b"", {"Location": "https://127.0.0.1:1/", "Retry-After": "9"})
    )
    assert send(signer, browser).verdict is verdict


def test_an_endless_answer_is_cut_off(push_service, signer):
    browser = push_service.subscribe(signer.public)
    push_service.script(Reply(201, b" " * 200_000))
    assert send(signer, browser).reason == "answer_too_large"


def test_without_leave_nothing_goes_to_a_private_network(push_service, signer, settings):
    browser = push_service.subscribe(signer.public)
    subscription = web_push.read(browser.subscription)
    settings.MUSTER_EGRESS_NETWORKS = [ipaddress.ip_network("192.0.2.0/24")]
    answer = web_push.send(signer, subscription, PAYLOAD, topic="x")
    assert (answer.verdict, answer.reason) == (Verdict.MISTAKE, "address_refused")
    assert push_service.connections == 0


def test_a_name_is_resolved_once_and_never_asked_again(push_service, signer, monkeypatch):
    browser, asked = push_service.subscribe(signer.public), []
    resolve = socket.getaddrinfo

    def rebinding(host, *arguments, **options):
        asked.append(host)
        # The second answer would lead into the network of the server.
        address = "127.0.0.1" if asked.count(host) == 1 else "127.0.0.2"
        return resolve(address, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    assert send(signer, browser).verdict is Verdict.ACCEPTED
    assert asked.count("localhost") == 1


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "::1",
        "0.0.0.0",  # noqa: S104
        "169.254.169.254",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "::ffff:7f00:1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::1",
        "fe80::1",
        "fd00::1",
        "224.0.0.1",
        "255.255.255.255",
    ],
)
def test_addresses_that_are_not_on_the_open_internet_are_closed(address):
    assert not egress.is_open(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700::1111", "142.250.1.1"])
def test_addresses_on_the_open_internet_are_open(address):
    assert egress.is_open(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        "http://push.example.org/x",
        "file:///etc/passwd",
        "gopher://push.example.org/",
        "https://ok@evil.example.org/",
        "https://push.example.org:8443/x",
        "https://push.example.org/x#y",
        "https://push.example.org\\@127.0.0.1/",
        "https://push.example.org/a b",
        "https:///x",
        "https://push.example.org/" + "x" * 3000,
    ],
)
def test_an_address_with_tricks_in_it_is_refused(url):
    with pytest.raises(egress.EgressRefused):
        egress.check_url(url)


@pytest.mark.parametrize("host", ["0x7f000001", "2130706433", "0177.0.0.1", "localhost.", "[::1]"])
def test_other_spellings_of_loopback_are_refused_at_connect(host):
    with pytest.raises((egress.EgressRefused, OSError)):
        asyncio.run(egress.pin(f"https://{host}/x"))


@pytest.mark.parametrize(
    "change",
    [
        {"endpoint": "http://push.example.org/"},
        {"endpoint": 7},
        {"keys": {}},
        {"keys": {"p256dh": "AAAA", "auth": "AAAAAAAAAAAAAAAAAAAAAA"}},
        {"keys": {"p256dh": "!" * 87, "auth": "AAAAAAAAAAAAAAAAAAAAAA"}},
        {"keys": None},
    ],
)
def test_what_is_no_subscription_is_refused(change):
    with pytest.raises(web_push.InvalidSubscription):
        web_push.read({"endpoint": "https://push.example.org/x", **change})


def test_a_secret_of_the_wrong_length_is_refused(push_service, signer):
    document = push_service.subscribe(signer.public).subscription
    document["keys"]["auth"] = "AAAA"
    with pytest.raises(web_push.InvalidSubscription):
        web_push.read(document)

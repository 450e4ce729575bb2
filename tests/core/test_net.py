from __future__ import annotations

import io
import ipaddress

import pytest
from django.test import RequestFactory

from core import net, ratelimit


def request_from(peer: str, forwarded: str = ""):
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    return RequestFactory().get("/", REMOTE_ADDR=peer, headers=headers)


@pytest.fixture
def proxy(settings):
    settings.MUSTER_TRUSTED_PROXIES = [ipaddress.ip_network("10.0.0.0/8")]


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("198.51.100.7", "", "198.51.100.7"),
        ("198.51.100.7", "1.1.1.1", "198.51.100.7"),
        ("10.0.0.1", "203.0.113.5", "203.0.113.5"),
        ("10.0.0.1", "1.1.1.1, 203.0.113.5", "203.0.113.5"),
        ("10.0.0.1", "203.0.113.5, 10.0.0.2", "203.0.113.5"),
        ("10.0.0.1", "garbage", "10.0.0.1"),
        ("10.0.0.1", "1.1.1.1, garbage", "10.0.0.1"),
        ("10.0.0.1", "2001:db8::1", "2001:db8::1"),
    ],
)
def test_believes_forwarded_addresses_only_from_a_trusted_proxy(proxy, peer, forwarded, expected):
    assert net.client_ip(request_from(peer, forwarded)) == expected


def body_request(body: bytes, **meta):
    request = RequestFactory().put("/", data=body, content_type="text/xml")
    request.META.update(meta)
    return request


def test_reads_a_body_up_to_the_limit():
    assert net.read_body(body_request(b"x" * 100), 100) == b"x" * 100


def test_refuses_a_longer_body_before_reading_it():
    with pytest.raises(net.BodyTooLarge):
        net.read_body(body_request(b"x" * 101), 100)


def test_refuses_a_longer_body_that_lies_about_its_length():
    request = RequestFactory().put("/", data=b"")
    request._stream = request._read_started = None
    request._stream = io.BytesIO(b"x" * 1000)
    request._read_started = False
    with pytest.raises(net.BodyTooLarge):
        net.read_body(request, 100)


def test_refuses_an_encoded_body():
    with pytest.raises(net.UnsupportedEncoding):
        net.read_body(body_request(b"x", HTTP_CONTENT_ENCODING="gzip"), 100)


@pytest.mark.django_db
def test_a_bucket_runs_empty_and_refills(time_machine):
    import datetime as dt

    start = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    time_machine.move_to(start, tick=False)
    answers = [ratelimit.allow("pin", "a", capacity=3, refill_seconds=30) for _ in range(4)]
    assert answers == [True, True, True, False]
    assert ratelimit.allow("pin", "b", capacity=3, refill_seconds=30)
    time_machine.move_to(start + dt.timedelta(seconds=10), tick=False)
    assert ratelimit.allow("pin", "a", capacity=3, refill_seconds=30)
    assert not ratelimit.allow("pin", "a", capacity=3, refill_seconds=30)

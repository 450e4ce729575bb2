from __future__ import annotations

import datetime as dt

import pytest

from apple.protocol.push_rules import LONGEST_RETRY, Verdict, judge, next_push, retry_delay
from tests.fakes.apns_rules import STATUS_OF_REASON

EXPECTED = {
    "BadDeviceToken": Verdict.BROKEN,
    "DeviceTokenNotForTopic": Verdict.OTHER_TOPIC,
    "BadTopic": Verdict.REFUSED,
    "MissingTopic": Verdict.REFUSED,
    "TopicDisallowed": Verdict.REFUSED,
    "BadCertificate": Verdict.REFUSED,
    "BadCertificateEnvironment": Verdict.REFUSED,
    "Forbidden": Verdict.REFUSED,
    "ExpiredToken": Verdict.GONE,
    "Unregistered": Verdict.GONE,
    "TooManyRequests": Verdict.BUSY,
    "IdleTimeout": Verdict.LATER,
    "InternalServerError": Verdict.LATER,
    "ServiceUnavailable": Verdict.LATER,
    "Shutdown": Verdict.LATER,
}


@pytest.mark.parametrize("reason", sorted(STATUS_OF_REASON))
def test_every_reason_has_its_verdict(reason):
    assert judge(STATUS_OF_REASON[reason], reason) is EXPECTED.get(reason, Verdict.MISTAKE)


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (200, Verdict.ACCEPTED),
        (403, Verdict.REFUSED),
        (410, Verdict.GONE),
        (429, Verdict.BUSY),
        (502, Verdict.LATER),
        (302, Verdict.MISTAKE),
        (418, Verdict.MISTAKE),
        (0, Verdict.LATER),
    ],
)
def test_an_unknown_reason_is_judged_by_its_status(status, verdict):
    assert judge(status, "SomethingNew") is verdict


def test_a_reason_is_believed_only_with_its_status():
    assert judge(200, "BadDeviceToken") is Verdict.ACCEPTED
    assert judge(503, "BadDeviceToken") is Verdict.LATER


@pytest.mark.parametrize("verdict", [v for v in Verdict if v is not Verdict.ACCEPTED])
@pytest.mark.parametrize("failures", [1, 2, 3, 6, 1000])
@pytest.mark.parametrize("retry_after", [None, 0, 61, 10**9])
def test_no_delay_is_a_hot_loop_and_none_exceeds_fifteen_minutes(verdict, failures, retry_after):
    delay = retry_delay(verdict, failures, retry_after)
    assert dt.timedelta(seconds=30) <= delay <= LONGEST_RETRY


def test_a_busy_token_rests_a_minute_at_least():
    assert min(retry_delay(Verdict.BUSY, 1, None) for _ in range(200)) >= dt.timedelta(seconds=60)


def test_retry_after_is_honoured():
    delays = [retry_delay(Verdict.LATER, 1, 200) for _ in range(200)]
    assert min(delays) >= dt.timedelta(seconds=200)


def test_delays_grow_and_are_spread():
    first = [retry_delay(Verdict.LATER, 1, None) for _ in range(50)]
    third = [retry_delay(Verdict.LATER, 3, None) for _ in range(50)]
    assert max(first) < min(third)
    assert len(set(first)) > 1


def test_repeats_become_rarer_until_daily():
    minutes = [next_push(count).total_seconds() / 60 for count in (1, 2, 3, 4, 100)]
    assert minutes == [15, 60, 1440, 1440, 1440]

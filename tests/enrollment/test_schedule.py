"""When reminders are due: one hour, 24 hours, daily, by day in the person's time zone."""

from __future__ import annotations

import datetime as dt
import zoneinfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrollment import schedule

PARIS = zoneinfo.ZoneInfo("Europe/Paris")
HOUR = dt.timedelta(hours=1)


def utc(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


def paris(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=PARIS)


def test_the_first_is_an_hour_after_the_last_step():
    step = paris("2026-11-20 10:00")
    due = schedule.unfinished(since=step, sent=0, now=step, zone=PARIS)
    assert due == paris("2026-11-20 11:00")


def test_the_second_is_24_hours_after_the_last_step():
    step = paris("2026-11-20 10:00")
    due = schedule.unfinished(since=step, sent=1, now=step + HOUR, zone=PARIS)
    assert due == paris("2026-11-21 10:00")


def test_further_ones_are_daily():
    now = paris("2026-11-23 10:00")
    due = schedule.unfinished(since=paris("2026-11-20 10:00"), sent=4, now=now, zone=PARIS)
    assert due == paris("2026-11-24 10:00")


@pytest.mark.parametrize(
    ("step", "due"),
    [
        ("2026-11-20 06:59", "2026-11-20 08:00"),
        ("2026-11-20 07:00", "2026-11-20 08:00"),
        ("2026-11-20 18:59", "2026-11-20 19:59"),
        ("2026-11-20 19:00", "2026-11-21 08:00"),
        ("2026-11-20 23:30", "2026-11-21 08:00"),
        # the night in which clocks go back, and the one in which they go forward
        ("2026-10-24 22:00", "2026-10-25 08:00"),
        ("2026-03-28 22:00", "2026-03-29 08:00"),
    ],
)
def test_nobody_is_woken_at_night(step, due):
    step = paris(step)
    assert schedule.unfinished(since=step, sent=0, now=step, zone=PARIS) == paris(due)


def test_a_server_that_was_down_for_days_sends_one_not_all():
    now = paris("2026-11-25 10:00")
    due = schedule.unfinished(since=paris("2026-11-20 10:00"), sent=1, now=now, zone=PARIS)
    assert due == paris("2026-11-26 10:00")


def test_an_unknown_time_zone_falls_back():
    assert schedule.zone_of("Mars/Olympus", "Europe/Paris") == PARIS
    assert schedule.zone_of("", "../../etc/passwd") is dt.UTC


@given(
    seconds=st.integers(1_577_836_800, 2_051_222_400),
    zone=st.sampled_from(
        ["Europe/Paris", "America/St_Johns", "Pacific/Apia", "Asia/Kathmandu", "UTC"]
    ),
    sent=st.integers(0, 30),
    late=st.integers(0, 400),
)
def test_every_reminder_is_in_the_future_and_by_day(seconds, zone, sent, late):
    since, zone = dt.datetime.fromtimestamp(seconds, dt.UTC), zoneinfo.ZoneInfo(zone)
    now = since + late * HOUR
    due = schedule.unfinished(since=since, sent=sent, now=now, zone=zone)
    assert due >= now
    assert schedule.is_polite(due, zone)
    assert due - now <= dt.timedelta(hours=38)

"""Reminders: on time, by day, numbered, never twice, and they stop."""

from __future__ import annotations

import datetime as dt
import zoneinfo

import pytest
import time_machine

from accounts.models import UserSettings
from accounts.services import users
from core import clock
from core.models import HistoryEntry, OneTimeSecret
from enrollment.models import EnrollmentSession, Invitation, SessionStage
from enrollment.services import expiry, invitations, reminders, sessions
from tests import factories
from tests.enrollment.conftest import ADMIN

pytestmark = pytest.mark.django_db
PARIS = zoneinfo.ZoneInfo("Europe/Paris")
MONDAY = dt.datetime(2026, 11, 23, 10, 0, tzinfo=PARIS)


@pytest.fixture(autouse=True)
def morning(tenant):
    """Ten o'clock on a Monday, where the organisation is."""
    tenant.time_zone = "Europe/Paris"
    tenant.save()
    with time_machine.travel(MONDAY, tick=False) as traveller:
        yield traveller


@pytest.fixture
def at(morning, mails):
    """Move to a time, let beat run its sweeps, and return the subjects of new mails."""
    seen = []

    def run(day: int, time: str) -> list[str]:
        hour, minute = map(int, time.split(":"))
        morning.move_to(
            MONDAY.replace(hour=hour, minute=minute) + dt.timedelta(days=day), tick=False
        )
        expiry.sweep()
        reminders.sweep()
        found = mails()
        new, seen[:] = found[len(seen) :], found
        return [letter.subject for letter in new]

    run(0, "10:00")
    return run


NOT_YET = "Your device is not registered with Acme Aerospace yet"
REMINDER = "Reminder: register your device with Acme Aerospace"


@pytest.fixture
def unfinished(confirmed, at):
    page, session = confirmed()
    at(0, "10:00")
    return page, session


def test_an_unfinished_enrollment_is_reminded_of_after_an_hour_a_day_and_then_daily(unfinished, at):
    assert at(0, "10:59") == []
    assert at(0, "11:00") == [NOT_YET]
    assert at(0, "12:00") == []
    assert at(1, "09:59") == []
    assert at(1, "10:00") == [NOT_YET]
    assert at(1, "19:00") == []
    assert at(2, "10:00") == [NOT_YET]
    assert at(3, "10:00") == [NOT_YET]


def test_it_goes_on_after_the_attempt_timed_out(unfinished, at):
    _page, session = unfinished
    at(0, "11:00")
    assert at(1, "10:30") == [NOT_YET]
    session.refresh_from_db()
    assert session.outcome == "expired"
    assert at(2, "10:30") == [NOT_YET]


def test_nobody_is_reminded_at_night(confirmed, at, morning):
    at(0, "19:30")
    confirmed()
    at(0, "19:30")
    assert at(0, "20:30") == []
    assert at(1, "07:59") == []
    assert at(1, "08:00") == [NOT_YET]


def test_the_night_is_that_of_the_person(tenant, confirmed, at):
    factories.user(
        tenant, password=None, email="pia.person@acme.test", time_zone="America/New_York"
    )
    confirmed()
    assert at(0, "11:30") == ["Register your device with Acme Aerospace"], (
        "it is half past five in New York"
    )
    assert at(0, "13:59") == []
    assert at(0, "14:00") == [NOT_YET]


def test_a_reminder_that_became_due_while_the_server_was_down_waits_for_the_day(unfinished, at):
    assert at(0, "23:00") == []
    assert at(1, "07:00") == []
    assert at(1, "08:00") == [NOT_YET]


def test_the_policy_limits_them(unfinished, at):
    UserSettings.objects.update(max_reminders=2)
    sent = [at(day, "11:00") for day in range(6)]
    assert sent == [[NOT_YET], [NOT_YET], [], [], [], []]


def test_the_policy_can_switch_them_off(confirmed, at):
    UserSettings.objects.update(max_reminders=0)
    confirmed()
    at(0, "10:00")
    assert [at(day, "12:00") for day in range(4)] == [[], [], [], []]


def test_the_first_completion_stops_all(unfinished, pages, at):
    page, session = unfinished
    second = pages().open(page.path).send("start")
    assert second.step == "sign-in"
    device = factories.device(session.tenant, session.user)
    sessions.record(session, SessionStage.ACTIVE, actor=ADMIN, device=device)
    told = [subject for day in range(4) for subject in at(day, "12:00")]
    assert NOT_YET not in told
    assert len(told) == 1  # that the device is registered
    assert not EnrollmentSession.objects.filter(remind_at__isnull=False).exists()


def test_beginning_again_goes_on_counting_and_reminds_once(unfinished, pages, at):
    page, first = unfinished
    at(0, "11:00")
    pages().open(page.path).send("start")
    second = EnrollmentSession.objects.exclude(pk=first.pk).get()
    assert second.reminders_sent == 1
    assert at(0, "12:30") == []
    assert at(1, "11:00") == [NOT_YET]
    assert at(2, "11:00") == [NOT_YET]


def test_progress_moves_the_next_reminder(unfinished, at):
    page, session = unfinished
    at(0, "10:30")
    page.send("profile")
    assert at(0, "11:15") == []
    assert at(0, "11:30") == [NOT_YET]
    assert session.pk


def test_an_invitation_that_nobody_opened_is_reminded_of_daily(invited, at):
    invited()
    at(0, "10:00")
    assert at(0, "18:00") == []
    assert at(1, "10:00") == [REMINDER]
    assert at(2, "09:59") == []
    assert at(2, "10:00") == [REMINDER]
    invitation = Invitation.objects.get()
    assert invitation.reminders_sent == 2
    assert at(7, "10:01") == []
    invitation.refresh_from_db()
    assert (invitation.status, invitation.remind_at) == ("expired", None)


def test_an_opened_invitation_is_reminded_of_as_an_attempt_only(invited, pages, at):
    _invitation, letter = invited()
    at(0, "10:00")
    pages().open(letter.link).send("start")
    assert at(0, "11:00") == [NOT_YET]
    assert at(1, "10:30") == [NOT_YET]


def test_sending_again_counts_from_the_start(invited, at):
    invitation, _letter = invited()
    at(0, "10:00")
    at(1, "10:00")
    invitations.resend(invitation=invitation, actor=ADMIN)
    invitation.refresh_from_db()
    assert invitation.reminders_sent == 0
    assert at(1, "11:00") == ["Register your device with Acme Aerospace"]
    assert at(2, "10:00") == [REMINDER]


def test_a_reminder_brings_a_pin_when_the_old_one_died(invited, at, mails):
    UserSettings.objects.update(pin_days=2)
    _invitation, letter = invited()
    at(0, "10:00")
    assert at(1, "10:00") == [REMINDER]
    assert mails()[-1].pin == ""
    assert "still works" in mails()[-1].text
    assert at(2, "10:30") == [REMINDER]
    newest = mails()[-1]
    assert newest.pin not in ("", letter.pin)
    assert OneTimeSecret.objects.filter(purpose="pin").count() == 2


def test_the_link_of_a_reminder_goes_on_where_the_person_stopped(unfinished, at, mails):
    page, _session = unfinished
    at(0, "11:00")
    newest = mails()[-1]
    assert newest.link != page.path
    assert page.open(newest.link).step == "profile"


def test_two_sweeps_at_once_send_one(unfinished, at, mails, monkeypatch):
    _page, session = unfinished
    at(0, "10:59")
    count = len(mails())
    with time_machine.travel(MONDAY + dt.timedelta(hours=1, minutes=1), tick=False):
        send = reminders.letters.send

        def interrupted(*args, **options):
            send(*args, **options)
            # A second worker comes by while the first is at it, and finds the row leased.
            assert reminders.sweep() == 0

        monkeypatch.setattr(reminders.letters, "send", interrupted)
        assert reminders.sweep() == 1
        assert len(mails()) == count + 1
    session.refresh_from_db()
    assert session.reminders_sent == 1


def test_a_worker_that_died_after_the_mail_sends_no_second_one(unfinished, at, mails, monkeypatch):
    _page, session = unfinished
    at(0, "10:59")
    count = len(mails())
    with time_machine.travel(MONDAY + dt.timedelta(hours=1), tick=False) as traveller:
        monkeypatch.setattr(reminders, "_next_for_session", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            reminders.sweep()
        monkeypatch.undo()
        traveller.shift(reminders.LEASE + dt.timedelta(seconds=1))
        assert reminders.sweep() == 1
        assert len(mails()) == count + 1
    session.refresh_from_db()
    assert session.reminders_sent == 1


@pytest.mark.parametrize("end", ["disabled", "revoked"])
def test_whoever_is_not_wanted_any_more_is_not_reminded(unfinished, at, end):
    _page, session = unfinished
    if end == "disabled":
        users.set_enabled(user=session.user, enabled=False, actor=ADMIN)
    else:
        invitations.revoke(invitation=session.invitation, actor=ADMIN)
    assert [at(day, "12:00") for day in range(3)] == [[], [], []]


def test_somebody_without_password_and_invitation_is_not_reminded(invited, pages, at):
    invitation, letter = invited()
    pages().open(letter.link).send("start")
    at(0, "10:00")
    assert at(0, "11:00") == [NOT_YET]
    Invitation.objects.filter(pk=invitation.pk).update(expires_at=clock.now())
    assert [at(day, "12:00") for day in range(3)] == [[], [], []]


def test_each_is_in_the_history(unfinished, at):
    at(0, "11:00")
    at(1, "11:00")
    entries = HistoryEntry.objects.filter(action="enrollment.session.reminded").order_by("id")
    assert [entry.data["number"] for entry in entries] == [1, 2]

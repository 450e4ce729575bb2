"""What ends by itself, and that a sweep can run twice."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine

from core import clock
from core.actors import Actor
from devices.services import lifecycle
from devices.states import DeviceState
from enrollment import tasks
from enrollment.models import EnrollmentSession, Invitation, SessionStage, StoppedReason
from enrollment.services import challenges, expiry, links, pins, sessions
from tests import factories
from tests.enrollment.conftest import ADMIN

pytestmark = pytest.mark.django_db
SYSTEM = Actor.system("tests")


def later(**delta):
    return time_machine.travel(clock.now() + dt.timedelta(**delta))


def test_an_attempt_ends_24_hours_after_its_last_step(confirmed):
    _page, session = confirmed()
    with later(hours=23):
        assert expiry.end_sessions() == 0
        sessions.record(session, SessionStage.DOWNLOADED, actor=ADMIN)
    with later(hours=25):
        assert expiry.end_sessions() == 0
    with later(hours=48):
        assert expiry.end_sessions() == 1
        assert expiry.end_sessions() == 0
    session.refresh_from_db()
    assert (session.outcome, session.stopped_reason) == ("expired", StoppedReason.TIMED_OUT)


def test_a_step_that_was_taken_in_the_meantime_counts(confirmed, monkeypatch):
    _page, session = confirmed()
    with later(hours=25):
        stale = EnrollmentSession.objects.get()
        EnrollmentSession.objects.update(expires_at=clock.now() + dt.timedelta(hours=1))
        assert expiry._end_session(stale) == 0
    session.refresh_from_db()
    assert session.is_open


def test_an_invitation_ends_with_its_links_and_pins(invited):
    invitation, letter = invited()
    with later(days=6, hours=23):
        assert expiry.end_invitations() == 0
    with later(days=7, minutes=1):
        assert expiry.end_invitations() == 1
        assert expiry.end_invitations() == 0
        assert links.look_up(letter.link.split("/go/")[1]).state == "expired"
        assert not pins.has_live(invitation.user)
    invitation.refresh_from_db()
    assert (invitation.status, invitation.remind_at) == ("expired", None)


def test_an_attempt_that_began_in_time_may_finish_after_the_invitation(confirmed):
    page, session = confirmed()
    Invitation.objects.update(expires_at=clock.now())
    assert expiry.end_invitations() == 1
    assert page.open(page.path).step == "profile"
    assert page.send("profile").download
    sessions.record(session, SessionStage.ACTIVE, actor=ADMIN)
    assert Invitation.objects.get().status == "completed"


def test_a_profile_that_nobody_downloaded_ends_with_its_link(confirmed):
    page, session = confirmed()
    page.send("profile")
    with later(minutes=9):
        assert expiry.end_profiles() == 0
    with later(minutes=11):
        assert expiry.end_profiles() == 1
        session.refresh_from_db()
        assert session.stopped_reason == StoppedReason.PROFILE_EXPIRED


def test_an_old_profile_beside_a_fresh_one_stops_nothing(confirmed):
    page, session = confirmed()
    page.send("profile")
    with later(minutes=8):
        page.send("profile")
    with later(minutes=11):
        assert expiry.end_profiles() == 1
        session.refresh_from_db()
        assert session.stopped_reason == ""


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        (lambda device: lifecycle.abandon(device_id=device.pk, actor=SYSTEM), "not_finished"),
        (lambda device: lifecycle.unenroll(device_id=device.pk, actor=SYSTEM), "refused_by_device"),
    ],
)
def test_a_device_that_stopped_half_way_is_told_of(confirmed, platform, end, reason):
    page, session = confirmed()
    page.send("profile")
    device = factories.device(session.tenant, session.user, state=DeviceState.ENROLLING)
    sessions.record(session, SessionStage.CHECKED_IN, actor=ADMIN, device=device)
    assert expiry.note_stopped() == 0
    end(device)
    assert expiry.note_stopped() == 1
    assert expiry.note_stopped() == 0
    assert page.state()["state"] == "refused"
    page.open(page.path)
    assert page.step == "profile"
    assert page.send("profile").download
    assert page.state()["state"] == "waiting"
    challenge = challenges.look_up(tenant=session.tenant, token=platform.challenges[-1])
    challenges.redeem(challenge, actor=ADMIN)
    assert page.state()["state"] == "identity_issued"
    newer = factories.device(session.tenant, session.user, state=DeviceState.ENROLLING)
    sessions.record(session, SessionStage.CHECKED_IN, actor=ADMIN, device=newer)
    assert page.state()["state"] == "checked_in"


def test_the_sweeps_are_tasks_that_beat_rings(confirmed):
    from mdm.schedule import SWEEPS

    assert {tasks.sweep_expiries.name, tasks.sweep_reminders.name} <= set(SWEEPS)
    confirmed()
    with later(days=8):
        assert tasks.sweep_expiries() >= 2
        assert tasks.sweep_expiries() == 0


def test_an_idle_sweep_is_cheap(db, django_assert_max_num_queries):
    with django_assert_max_num_queries(6):
        tasks.sweep_expiries()
        tasks.sweep_reminders()

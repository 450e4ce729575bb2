"""What somebody began and did not finish: told on the first page, and stopped there."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest

from core import clock
from core.models import OutboxMessage, OutboxStatus
from enrollment.models import BrowserSubscription, EnrollmentSession, Notice, NoticeStatus
from enrollment.services import invitations, push_addresses, reminders, sessions
from enrollment.services.registration import Browser, begin, enter_confirmed
from tests.enrollment.push_world import ACTOR, at_noon
from tests.enrollment.test_browser_push import subscription
from tests.portal import history_of, me, text

pytestmark = pytest.mark.django_db
PHONE = Browser(ip="203.0.113.9", platform="iphone")
HEADING = "You have not finished a registration"


@pytest.fixture
def attempt(person):
    return enter_confirmed(user=person, browser=PHONE).session


def agree(session, label="Firefox · Windows", **changes):
    return push_addresses.subscribe(
        session=session,
        user=session.user,
        document=subscription() | changes,
        language="en",
        actor=ACTOR,
        label=label,
    )


def remind(session) -> None:
    EnrollmentSession.objects.filter(pk=session.pk).update(remind_at=clock.now())
    at_noon(session.user)
    reminders.sweep()


def test_who_has_nothing_open_reads_nothing_of_reminders(pia):
    assert "remind" not in text(pia.get(me("me-home")))


def test_an_unfinished_attempt_is_told_and_stopped(pia, person, attempt):
    assert HEADING in text(pia.get(me("me-home")))
    page = text(pia.post(me("me-reminders-stop"), follow=True))
    assert "You will not be reminded." in page
    assert HEADING not in page
    assert "enrollment.reminders.stopped" in history_of(person)
    remind(attempt)
    assert not Notice.objects.exists()
    attempt.refresh_from_db()
    assert attempt.is_open, "the attempt itself goes on"
    assert attempt.remind_at is None


def test_a_later_step_of_the_same_attempt_wakes_no_reminder(pia, attempt):
    pia.post(me("me-reminders-stop"))
    sessions.record(attempt, "profile_issued", actor=ACTOR)
    attempt.refresh_from_db()
    assert attempt.remind_at is None


def test_a_new_attempt_is_reminded_of_again(pia, person, attempt):
    pia.post(me("me-reminders-stop"))
    assert enter_confirmed(user=person, browser=PHONE).session.remind_at is not None


def test_what_was_queued_is_not_sent(pia, attempt):
    remind(attempt)
    assert Notice.objects.get().status == NoticeStatus.QUEUED
    pia.post(me("me-reminders-stop"))
    notice = Notice.objects.select_related("message").get()
    assert notice.status == NoticeStatus.CANCELLED
    assert notice.message.status == OutboxStatus.CANCELLED
    assert bytes(notice.message.sealed_body) == b""


def test_an_invitation_that_nobody_opened_is_stopped_too(pia, person, admin):
    invitation = invitations.invite_user(user=person, actor=admin.actor, sender=admin)
    assert invitation.remind_at is not None
    assert "You are invited to register a device" in text(pia.get(me("me-home")))
    pia.post(me("me-reminders-stop"))
    invitation.refresh_from_db()
    assert invitation.remind_at is None
    assert invitation.is_open
    invitations.resend(invitation=invitation, actor=admin.actor, sender=admin)
    invitation.refresh_from_db()
    assert invitation.remind_at is not None, "an administrator asks again"


def test_an_attempt_from_a_link_is_stopped_with_its_invitation(pia, person, admin):
    invitation = invitations.invite_user(user=person, actor=admin.actor, sender=admin)
    session = begin(invitation=invitation, browser=PHONE).session
    pia.post(me("me-reminders-stop"))
    session.refresh_from_db()
    assert session.reminders_stopped_at is not None


def test_pressed_twice_it_is_told_once(pia, person, attempt):
    pia.post(me("me-reminders-stop"), follow=True)
    page = text(pia.post(me("me-reminders-stop"), follow=True))
    assert "You will not be reminded." not in page
    assert history_of(person).count("enrollment.reminders.stopped") == 1


def test_a_colleague_s_reminders_go_on(pia, colleague):
    other = enter_confirmed(user=colleague, browser=PHONE).session
    pia.post(me("me-reminders-stop"))
    other.refresh_from_db()
    assert other.remind_at is not None


def test_every_browser_is_named_and_can_be_forgotten(pia, person, attempt):
    row = agree(attempt)
    page = text(pia.get(me("me-home")))
    assert "Firefox · Windows" in page
    assert subscription()["endpoint"] not in page
    page = text(pia.post(me("me-browser-forget"), {"browser": row.pk}, follow=True))
    assert "That browser shows no more reminders." in page
    assert not BrowserSubscription.objects.exists()
    assert "enrollment.browser.forgotten" in history_of(person)


def test_the_browser_of_a_colleague_stays(pia, person, colleague, attempt):
    other = agree(enter_confirmed(user=colleague, browser=PHONE).session)
    for wanted in (other.pk, uuid.uuid4()):
        answer = pia.post(me("me-browser-forget"), {"browser": wanted}, follow=True)
        assert "shows no more reminders" not in text(answer)
    assert BrowserSubscription.objects.get() == other
    assert "Firefox" not in text(pia.get(me("me-home")))


@pytest.mark.parametrize("wanted", ["", "nonsense", "0" * 5000])
def test_what_no_form_sends_is_refused(pia, wanted):
    assert pia.post(me("me-browser-forget"), {"browser": wanted}).status_code == 409


def test_the_ledger_names_the_browser_that_was_reminded(attempt, tenant):
    from enrollment.services import push_keys

    push_keys.make_web_push(tenant=tenant, actor=ACTOR)
    agree(attempt, label="Edge · Windows")
    remind(attempt)
    assert Notice.objects.get(channel="web_push").recipient == "Edge · Windows"
    assert OutboxMessage.objects.get(kind="push.web").recipient == "Edge · Windows"


def test_the_first_page_costs_a_few_queries_whatever_is_open(
    pia, attempt, django_assert_max_num_queries
):
    for number in range(9):
        agree(attempt, endpoint=f"https://push.example.org/{number}")
    pia.get(me("me-home"))
    with django_assert_max_num_queries(12):
        pia.get(me("me-home"))


def test_an_attempt_that_timed_out_is_still_told(pia, attempt):
    past = clock.now() - dt.timedelta(minutes=1)
    EnrollmentSession.objects.update(expires_at=past)
    sessions.end(attempt, "expired", "timed_out", actor=ACTOR)
    assert HEADING in text(pia.get(me("me-home")))
    pia.post(me("me-reminders-stop"))
    assert HEADING not in text(pia.get(me("me-home")))

from __future__ import annotations

import datetime as dt

import pytest

from core import clock
from core.models import OutboxMessage, OutboxStatus
from core.services import delivery
from enrollment.models import (
    AppPush,
    EnrollmentSession,
    Notice,
    NoticeChannel,
    NoticeStatus,
    SessionOutcome,
    SessionStage,
)
from enrollment.services import notices, push_addresses, push_keys, reminders, sessions
from tests.enrollment.conftest import ADMIN, deliver_all
from tests.enrollment.push_world import (
    ACTOR,
    account,
    app,
    developer_key,
    install_apns,
    install_fcm,
)
from tests.fakes.apns_rules import Answer
from tests.fakes.fcm import failure
from tests.fakes.https import Reply
from tests.fakes.smtp import Reply as Refusal


@pytest.fixture(autouse=True)
def noon(monkeypatch):
    """It is day; the fakes of push services are told which day it is."""
    set_clock(monkeypatch, clock.now().replace(hour=12, minute=0))


def set_clock(monkeypatch, moment: dt.datetime) -> None:
    monkeypatch.setattr(clock, "now", lambda: moment)


@pytest.fixture
def everything(apns, google, push_service, settings, tenant):
    """Every channel is set up, and each service is a fake on loopback."""
    settings.MUSTER_APNS_URL = apns.url
    settings.MUSTER_APNS_CA_FILE = str(apns.authority_path)
    apns.trust_key(developer_key())
    apns.clock = lambda: clock.now().timestamp()
    google.trust(account())
    google.clock = apns.clock
    install_apns(tenant)
    install_fcm(tenant)
    push_keys.make_web_push(tenant=tenant, actor=ACTOR)


@pytest.fixture
def waiting(tenant, person):
    """Somebody who began an hour ago and did not finish."""
    person.set_password("four unrelated words here")
    person.save()
    return EnrollmentSession.objects.create(
        tenant=tenant,
        user=person,
        platform="iphone",
        stage=SessionStage.DOWNLOADED,
        expires_at=clock.now() + dt.timedelta(hours=23),
        remind_at=clock.now() - dt.timedelta(seconds=1),
    )


def subscribe(session, push_service):
    signer = push_keys.signer_of(push_keys.find(session.tenant_id, "web_push"))
    browser = push_service.subscribe(signer.public)
    push_addresses.subscribe(
        session=session,
        user=session.user,
        document=browser.subscription,
        language="en",
        actor=ADMIN,
    )
    return browser


def told(session) -> dict[str, tuple[str, str]]:
    rows = Notice.objects.filter(session=session).select_related("message")
    return {row.channel: (row.status, row.words) for row in rows}


@pytest.mark.usefixtures("everything")
def test_a_reminder_arrives_on_every_channel_and_the_ledger_says_so(
    waiting, person, apns, google, push_service, mails
):
    phone, tablet = app(person), app(person, AppPush.FCM)
    browser = subscribe(waiting, push_service)
    assert reminders.sweep() == 1
    letter = mails()[-1]
    assert letter.to == person.email
    assert [push.token for push in apns.pushes] == [push_addresses.open_app_token(phone)]
    assert [sent.target for sent in google.sent] == [push_addresses.open_app_token(tablet)]
    assert [shown["title"] for shown in browser.shown] == ["Nearly there"]
    assert {status for status, _ in told(waiting).values()} == {NoticeStatus.SENT}
    assert set(told(waiting)) == set(NoticeChannel)


@pytest.mark.usefixtures("everything")
def test_a_reminder_that_is_tried_twice_is_sent_once(waiting, person, apns, mails):
    app(person)
    reminders.sweep()
    EnrollmentSession.objects.update(reminders_sent=0, remind_at=clock.now())
    reminders.sweep()
    mails()
    assert len(apns.pushes) == 1
    assert Notice.objects.filter(session=waiting).count() == 2


def test_without_credentials_there_is_mail_alone(waiting, person, mails):
    app(person)
    reminders.sweep()
    mails()
    assert set(told(waiting)) == {NoticeChannel.MAIL}


@pytest.mark.usefixtures("everything")
def test_who_finishes_gets_nothing_of_what_still_waits(waiting, person, apns, mails):
    app(person)
    reminders.sweep()
    sessions.record(waiting, SessionStage.ACTIVE, actor=ADMIN)
    assert mails() == []
    assert apns.pushes == []
    assert {status for status, _ in told(waiting).values()} == {NoticeStatus.CANCELLED}
    assert not OutboxMessage.objects.filter(status=OutboxStatus.PENDING).exists()


@pytest.mark.usefixtures("everything")
def test_a_push_looks_once_more_before_it_leaves(waiting, person, apns):
    app(person)
    reminders.sweep()
    EnrollmentSession.objects.update(outcome=SessionOutcome.CANCELLED)
    deliver_all()
    assert apns.pushes == []
    assert told(waiting)[NoticeChannel.APP_APNS][0] == NoticeStatus.CANCELLED


@pytest.mark.usefixtures("everything")
def test_a_push_that_was_held_up_waits_for_the_morning(waiting, person, apns, monkeypatch):
    app(person)
    reminders.sweep()
    night = clock.now().replace(hour=23)
    set_clock(monkeypatch, night)
    deliver_all()
    assert apns.pushes == []
    set_clock(monkeypatch, night + dt.timedelta(hours=12))
    deliver_all()
    assert len(apns.pushes) == 1


def test_nobody_is_reminded_at_night(waiting, monkeypatch, mails):
    set_clock(monkeypatch, clock.now().replace(hour=22))
    assert reminders.sweep() == 0
    assert mails() == []
    waiting.refresh_from_db()
    assert waiting.remind_at.hour == 8


@pytest.mark.usefixtures("everything")
@pytest.mark.parametrize("reason", ["Unregistered", "BadDeviceToken"])
def test_a_dead_app_token_is_not_used_again(waiting, person, apns, reason):
    phone = app(person)
    apns.script_any(Answer.of(reason))
    reminders.sweep()
    deliver_all()
    phone.refresh_from_db()
    assert reason in phone.push_broken_reason
    assert bytes(phone.sealed_push_token) == b""
    status, words = told(waiting)[NoticeChannel.APP_APNS]
    assert status == NoticeStatus.FAILED
    assert reason in words


@pytest.mark.usefixtures("everything")
def test_a_new_token_that_came_meanwhile_is_not_broken_by_an_old_answer(person):
    phone = app(person)
    stale = type(phone).objects.get(pk=phone.pk)
    push_addresses.keep_app_token(installation=phone, kind=AppPush.APNS, token="cd" * 32)
    push_addresses.mark_app_broken(stale, "410 Unregistered")
    phone.refresh_from_db()
    assert phone.push_broken_reason == ""


@pytest.mark.usefixtures("everything")
def test_a_browser_that_is_gone_is_forgotten(waiting, push_service):
    browser = subscribe(waiting, push_service)
    browser.is_gone = True
    reminders.sweep()
    deliver_all()
    row = waiting.user.browser_subscriptions.get()
    assert row.broken_reason == "410"
    assert told(waiting)[NoticeChannel.WEB_PUSH][0] == NoticeStatus.FAILED


@pytest.mark.usefixtures("everything")
def test_a_busy_service_is_asked_again_later_and_the_ledger_says_why(waiting, person, google):
    app(person, AppPush.FCM)
    google.script_messages(failure(429, "QUOTA_EXCEEDED", retry_after="600"))
    reminders.sweep()
    deliver_all()
    status, words = told(waiting)[NoticeChannel.APP_FCM]
    assert (status, words) == (NoticeStatus.QUEUED, "429 QUOTA_EXCEEDED")
    message = OutboxMessage.objects.get(kind=notices.APP_FCM)
    assert message.due_at >= clock.now() + dt.timedelta(seconds=600)


@pytest.mark.usefixtures("everything")
def test_after_five_tries_a_push_is_given_up(waiting, person, google, monkeypatch):
    app(person, AppPush.FCM)
    google.script_messages(*[failure(503, "UNAVAILABLE")] * 9)
    reminders.sweep()
    for _ in range(8):
        deliver_all()
        set_clock(monkeypatch, clock.now() + dt.timedelta(minutes=45))
    assert told(waiting)[NoticeChannel.APP_FCM][0] == NoticeStatus.FAILED
    assert len(google._message_script) == 4


@pytest.mark.usefixtures("everything")
def test_a_refused_key_shows_in_the_settings_until_it_works(waiting, person, apns, tenant):
    app(person)
    apns.developer_keys.clear()
    reminders.sweep()
    deliver_all()
    row = push_keys.find(tenant.pk, "app_apns")
    assert row.data["trouble"]["reason"] == "403 InvalidProviderToken"
    apns.trust_key(developer_key())
    OutboxMessage.objects.filter(status=OutboxStatus.PENDING).update(due_at=clock.now())
    deliver_all()
    assert "trouble" not in push_keys.find(tenant.pk, "app_apns").data


@pytest.mark.usefixtures("everything")
def test_a_worker_that_dies_loses_and_doubles_nothing(waiting, person, apns, monkeypatch):
    app(person)
    reminders.sweep()
    [message] = OutboxMessage.objects.filter(kind=notices.APP_APNS)
    # It dies after Apple took the push and before it could write that the message left.
    row = delivery.claim(message.pk)
    notices.push_apns(
        row, {"target": str(person.client_installations.get().pk), "is_unopened": False}
    )
    set_clock(monkeypatch, clock.now() + dt.timedelta(minutes=5))
    deliver_all()
    assert len(apns.pushes) == 1
    message.refresh_from_db()
    assert message.status == OutboxStatus.DELIVERED


@pytest.mark.usefixtures("everything")
def test_a_removed_key_ends_its_channel(waiting, person, tenant, apns):
    app(person)
    reminders.sweep()
    push_keys.remove(tenant=tenant, purpose="app_apns", actor=ACTOR)
    deliver_all()
    assert apns.pushes == []
    assert told(waiting)[NoticeChannel.APP_APNS][0] == NoticeStatus.FAILED


@pytest.mark.usefixtures("everything")
def test_a_push_speaks_the_language_of_its_person_and_tells_no_secret(
    waiting, person, tenant, push_service
):
    browser = subscribe(waiting, push_service)
    reminders.sweep()
    deliver_all()
    [shown] = browser.shown
    assert shown == {
        "title": "Nearly there",
        "body": f"You began to register your device with {tenant.name}. Go on where you stopped.",
        "url": "/go",
    }


@pytest.fixture
def mail_server(settings, smtp):
    """Mails go to a real server on loopback."""
    settings.EMAIL_BACKEND = "core.gateways.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", smtp.port
    settings.EMAIL_TIMEOUT = 1
    return smtp


@pytest.mark.parametrize("line", ["421 4.3.2 Closing", "450 4.2.0 Greylisted", "451 4.3.0 Busy"])
def test_a_mail_server_that_is_busy_is_tried_again_and_the_ledger_says_why(
    waiting, person, mail_server, line, monkeypatch
):
    mail_server.refuse_next(Refusal(line))
    reminders.sweep()
    deliver_all()
    status, words = told(waiting)[NoticeChannel.MAIL]
    assert (status, words[:3]) == (NoticeStatus.QUEUED, line[:3])
    set_clock(monkeypatch, clock.now() + dt.timedelta(minutes=10))
    deliver_all()
    assert told(waiting)[NoticeChannel.MAIL][0] == NoticeStatus.SENT
    assert len(mail_server.mails_to(person.email)) == 1


def test_an_address_that_is_refused_for_good_fails_with_the_servers_words(waiting, mail_server):
    mail_server.refuse_always(Refusal("550 5.1.1 No such person"))
    reminders.sweep()
    deliver_all()
    status, words = told(waiting)[NoticeChannel.MAIL]
    assert status == NoticeStatus.FAILED
    assert "No such person" in words
    assert mail_server.attempts <= 1


def test_a_mail_server_that_does_not_go_on_is_left_alone_in_time(waiting, mail_server):
    mail_server.tarpit_seconds = 3
    reminders.sweep()
    deliver_all()
    assert told(waiting)[NoticeChannel.MAIL][0] == NoticeStatus.QUEUED
    mail_server.tarpit_seconds = 0


def test_an_unopened_invitation_is_reminded_of_and_its_ledger_is_its_own(invited, mails):
    invitation, _ = invited()
    type(invitation).objects.update(remind_at=clock.now() - dt.timedelta(seconds=1))
    assert reminders.sweep() == 1
    mails()
    [notice] = Notice.objects.filter(invitation=invitation, session=None)
    assert (notice.status, notice.number) == (NoticeStatus.SENT, 1)


@pytest.mark.usefixtures("everything")
def test_the_same_browser_counts_once_and_a_person_has_ten_at_most(waiting, push_service):
    browser = subscribe(waiting, push_service)
    for _ in range(2):
        push_addresses.subscribe(
            session=waiting,
            user=waiting.user,
            document=browser.subscription,
            language="en",
            actor=ADMIN,
        )
    assert waiting.user.browser_subscriptions.count() == 1
    for _ in range(12):
        subscribe(waiting, push_service)
    assert waiting.user.browser_subscriptions.count() == 10


@pytest.mark.usefixtures("everything")
def test_a_web_push_service_that_is_down_is_tried_later(waiting, push_service):
    subscribe(waiting, push_service)
    push_service.script(Reply(is_cut=True), Reply(is_cut=True))
    reminders.sweep()
    deliver_all()
    assert told(waiting)[NoticeChannel.WEB_PUSH][0] == NoticeStatus.QUEUED

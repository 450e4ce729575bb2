"""What the sweep does with every answer of the push service."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db.models import F

from apple.gateways import apns as gateway
from apple.services import push, push_certificate, push_settle, push_store, push_sweep
from core import clock
from core.models import HistoryEntry, OutboxMessage, StoredKey
from devices.models import Channel, ChannelState, DeviceContact
from devices.states import CommandStatus, DeviceState
from tests import factories
from tests.apple.push_world import (
    OTHER_TOPIC,
    TOPIC,
    channel,
    install,
    issued,
    proven,
    seconds_until,
    token_of,
)
from tests.fakes.apns import FakeAPNs
from tests.fakes.apns_rules import Answer
from tests.fakes.certificates import Authority

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def service(apns, settings):
    settings.MUSTER_APNS_URL = apns.url
    settings.MUSTER_APNS_CA_FILE = str(apns.authority_path)
    yield apns
    gateway.close()


@pytest.fixture
def certificate(tenant, authority):
    return install(tenant, issued(authority), **proven())


@pytest.fixture
def fresh(tenant, authority):
    """A certificate that Apple has not accepted yet."""
    return install(tenant, issued(authority))


def actions(row):
    return list(HistoryEntry.objects.about(row).values_list("action", flat=True))


def test_an_accepted_push_without_orders_is_the_end(apns, certificate, tenant):
    row = channel(tenant, 1)
    assert push_sweep.sweep() == 1
    row.refresh_from_db()
    assert row.push_due_at is None
    assert row.pushed_at is not None
    assert len(apns.pushes) == 1
    assert push_sweep.sweep() == 0


@pytest.mark.parametrize(
    "status", [CommandStatus.QUEUED, CommandStatus.SENT, CommandStatus.NOT_NOW]
)
def test_while_orders_wait_the_push_is_repeated_ever_more_rarely(apns, certificate, tenant, status):
    row = channel(tenant, 1)
    factories.command(row.device, status=status)
    for expected in (15 * 60, 3600, 86_400, 86_400):
        Channel.objects.update(push_due_at=clock.now())
        assert push_sweep.sweep() == 1
        row.refresh_from_db()
        assert seconds_until(row.push_due_at) == pytest.approx(expected, abs=5)


def test_a_repeat_finds_the_orders_done_and_stops(apns, certificate, tenant):
    row = channel(tenant, 1, push_attempts=1)
    factories.command(row.device, status=CommandStatus.ACKNOWLEDGED)
    assert push_sweep.sweep() == 0
    row.refresh_from_db()
    assert (row.push_due_at, row.push_attempts) == (None, 0)
    assert apns.pushes == []


def test_an_order_that_comes_while_the_push_is_under_way_is_pushed_too(
    apns, certificate, tenant, monkeypatch
):
    row = channel(tenant, 1)
    send = gateway.send

    def send_and_wake(credentials, pushes):
        results = send(credentials, pushes)
        push.wake(Channel.objects.get(pk=row.pk))
        return results

    monkeypatch.setattr(gateway, "send", send_and_wake)
    push_sweep.sweep()
    row.refresh_from_db()
    assert row.push_due_at is not None
    assert seconds_until(row.push_due_at) < 5


def test_a_bad_token_is_kept_aside_and_the_enrollment_stays(apns, certificate, tenant):
    row = channel(tenant, 1)
    apns.script(token_of(1), Answer.of("BadDeviceToken"))
    push_sweep.sweep()
    row.refresh_from_db()
    assert (row.push_broken_reason, row.push_due_at) == ("BadDeviceToken", None)
    assert row.sealed_push
    assert row.state == ChannelState.ACTIVE
    assert row.device.state == DeviceState.ACTIVE
    assert actions(row.device) == ["apple.push.lost"]


def test_a_broken_channel_is_not_woken(certificate, tenant):
    row = channel(tenant, 1, due=False, push_broken_reason="BadDeviceToken")
    push.wake(row)
    row.refresh_from_db()
    assert row.push_due_at is None


def test_a_token_that_died_after_its_update_is_dropped(apns, certificate, tenant):
    row = channel(tenant, 1)
    after = int((row.token_updated_at.timestamp() + 60) * 1000)
    apns.script(token_of(1), Answer.of("Unregistered", timestamp_ms=after))
    push_sweep.sweep()
    row.refresh_from_db()
    assert row.push_broken_reason == "Unregistered"
    assert not row.sealed_push
    assert row.push_token_sha256 == ""
    assert row.device.state == DeviceState.ACTIVE


@pytest.mark.parametrize("before_seconds", [60, 86_400])
def test_an_older_410_is_about_a_token_that_is_history(apns, certificate, tenant, before_seconds):
    row = channel(tenant, 1)
    before = int((row.token_updated_at.timestamp() - before_seconds) * 1000)
    apns.script(token_of(1), Answer.of("ExpiredToken", timestamp_ms=before))
    push_sweep.sweep()
    row.refresh_from_db()
    assert row.push_broken_reason == ""
    assert row.sealed_push
    assert 600 < seconds_until(row.push_due_at) <= 900


def test_a_410_without_a_moment_drops_nothing(apns, certificate, tenant):
    row = channel(tenant, 1)
    apns.script(token_of(1), Answer.of("Unregistered"))
    push_sweep.sweep()
    row.refresh_from_db()
    assert row.sealed_push
    assert row.push_due_at is not None


def test_a_token_that_came_during_the_push_is_not_dropped_for_the_old_one(
    apns, certificate, tenant, monkeypatch
):
    row = channel(tenant, 1)
    apns.script(token_of(1), Answer.of("BadDeviceToken"))
    send = gateway.send

    def send_and_update(credentials, pushes):
        results = send(credentials, pushes)
        Channel.objects.update(token_updated_at=clock.now())
        return results

    monkeypatch.setattr(gateway, "send", send_and_update)
    push_sweep.sweep()
    row.refresh_from_db()
    assert row.push_broken_reason == ""


@pytest.mark.parametrize(
    ("reason", "retry_after", "low", "high"),
    [
        ("TooManyRequests", None, 60, 80),
        ("TooManyRequests", "300", 300, 380),
        ("ServiceUnavailable", None, 30, 40),
        ("ServiceUnavailable", "120", 120, 151),
        ("InternalServerError", "99999", 700, 900),
        ("Shutdown", None, 30, 40),
        ("IdleTimeout", None, 30, 40),
        ("PayloadTooLarge", None, 700, 900),
        ("MethodNotAllowed", None, 700, 900),
        ("BadPath", None, 700, 900),
        ("BadMessageId", None, 700, 900),
    ],
)
def test_a_passing_fault_backs_off(apns, certificate, tenant, reason, retry_after, low, high):
    row = channel(tenant, 1)
    apns.script(token_of(1), Answer.of(reason, retry_after=retry_after))
    push_sweep.sweep()
    row.refresh_from_db()
    assert low - 1 <= seconds_until(row.push_due_at) <= high
    assert (row.push_failures, row.push_broken_reason) == (1, "")


def test_waking_does_not_shorten_the_back_off(apns, certificate, tenant):
    row = channel(tenant, 1)
    apns.script(token_of(1), Answer.of("TooManyRequests"))
    push_sweep.sweep()
    push.wake(Channel.objects.get(pk=row.pk))
    row.refresh_from_db()
    assert seconds_until(row.push_due_at) > 55
    assert push_sweep.sweep() == 0
    assert len(apns.pushes) == 1


def test_success_ends_the_back_off(apns, certificate, tenant):
    row = channel(tenant, 1, push_failures=5)
    push_sweep.sweep()
    row.refresh_from_db()
    assert row.push_failures == 0


@pytest.mark.parametrize("fault", ["reset", "silence"])
def test_a_lost_answer_is_tried_again(apns, certificate, tenant, fault, monkeypatch):
    monkeypatch.setattr(gateway, "PUSH_SECONDS", 0.3)
    row = channel(tenant, 1)
    apns.script(token_of(1), Answer(fault=fault))
    push_sweep.sweep()
    row.refresh_from_db()
    assert 29 <= seconds_until(row.push_due_at) <= 40
    Channel.objects.update(push_due_at=clock.now())
    assert push_sweep.sweep() == 1


def test_goaway_in_the_middle_loses_nothing(apns, certificate, tenant):
    rows = [channel(tenant, number) for number in range(1, 80)]
    for _ in range(20):
        apns.script_any(Answer())
    apns.script_any(Answer(fault="goaway"))
    assert push_sweep.sweep() == len(rows)
    assert Channel.objects.filter(push_due_at__isnull=False).count() == 0


@pytest.mark.parametrize(
    "reason",
    ["BadCertificate", "Forbidden", "BadCertificateEnvironment", "TopicDisallowed", "BadTopic"],
)
def test_a_refused_certificate_stops_the_tenants_pushes(apns, certificate, tenant, reason, owner):
    rows = [channel(tenant, number) for number in range(1, 6)]
    apns.default = Answer.of(reason)
    push_sweep.sweep()
    sent = len(apns.pushes)
    assert push_certificate.status(tenant).state == "paused"
    assert push_certificate.status(tenant).paused_reason == reason
    Channel.objects.update(push_due_at=clock.now())
    push_sweep.sweep()
    assert len(apns.pushes) == sent
    waiting = Channel.objects.filter(push_due_at__isnull=False, push_broken_reason="")
    assert waiting.count() == len(rows)
    certificate.refresh_from_db()
    assert actions(certificate) == ["apple.push.paused"]
    assert OutboxMessage.objects.filter(kind="mail", recipient=owner.email).count() == 1


def test_a_certificate_in_doubt_sends_a_few_ahead(apns, fresh, tenant):
    for number in range(1, 40):
        channel(tenant, number)
    apns.default = Answer.of("Forbidden")
    push_sweep.sweep()
    assert len(apns.pushes) == push_sweep.CANARIES


def test_a_fresh_certificate_that_works_pushes_everybody_at_once(apns, fresh, tenant):
    for number in range(1, 40):
        channel(tenant, number)
    assert push_sweep.sweep() == 39
    fresh.refresh_from_db()
    assert "accepted_at" in fresh.data


def test_only_one_tenant_is_paused(apns, certificate, tenant, other_tenant, authority):
    theirs = install(other_tenant, issued(authority, OTHER_TOPIC), topic=OTHER_TOPIC, **proven())
    channel(tenant, 1)
    row = channel(other_tenant, 2, topic=OTHER_TOPIC)
    apns.script(token_of(1), Answer.of("Forbidden"))
    push_sweep.sweep()
    row.refresh_from_db()
    assert row.pushed_at is not None
    assert push_certificate.status(tenant).state == "paused"
    assert push_certificate.status(other_tenant).state == "valid"
    assert actions(theirs) == []


def test_a_pause_ends_by_itself_when_apple_accepts_again(apns, certificate, tenant):
    rows = [channel(tenant, number) for number in range(1, 8)]
    apns.default = Answer.of("Forbidden")
    push_sweep.sweep()
    apns.default = Answer(200)
    past = (clock.now() - dt.timedelta(seconds=1)).isoformat()
    certificate.refresh_from_db()
    certificate.data["paused"]["probe_at"] = past
    certificate.save()
    Channel.objects.update(push_due_at=clock.now())
    push_sweep.sweep()
    assert push_certificate.status(tenant).state == "valid"
    push_sweep.sweep()
    assert Channel.objects.filter(pushed_at__isnull=False).count() == len(rows)
    assert actions(certificate) == ["apple.push.resumed", "apple.push.paused"]


def test_a_failed_probe_keeps_the_pause_and_says_nothing_new(apns, certificate, tenant, owner):
    for number in range(1, 20):
        channel(tenant, number)
    apns.default = Answer.of("Forbidden")
    push_sweep.sweep()
    certificate.refresh_from_db()
    since = certificate.data["paused"]["since"]
    certificate.data["paused"]["probe_at"] = since
    certificate.save()
    Channel.objects.update(push_due_at=clock.now())
    apns.clear()
    apns.default = Answer.of("Forbidden")
    push_sweep.sweep()
    assert len(apns.pushes) == push_sweep.CANARIES
    certificate.refresh_from_db()
    assert certificate.data["paused"]["since"] == since
    assert certificate.data["paused"]["probe_at"] > clock.now().isoformat()
    assert actions(certificate) == ["apple.push.paused"]
    assert OutboxMessage.objects.filter(kind="mail").count() == 1


def test_a_token_of_another_topic_is_one_devices_fault_when_the_others_work(
    apns, certificate, tenant
):
    bad, good = channel(tenant, 1), channel(tenant, 2)
    apns.script(token_of(1), Answer.of("DeviceTokenNotForTopic"))
    push_sweep.sweep()
    bad.refresh_from_db()
    good.refresh_from_db()
    assert bad.push_broken_reason == "DeviceTokenNotForTopic"
    assert bad.sealed_push
    assert good.pushed_at is not None
    assert push_certificate.status(tenant).state == "valid"


def test_tokens_of_another_topic_everywhere_are_the_certificates_fault(apns, fresh, tenant):
    rows = [channel(tenant, number) for number in range(1, 10)]
    apns.default = Answer.of("DeviceTokenNotForTopic")
    push_sweep.sweep()
    assert push_certificate.status(tenant).state == "paused"
    assert Channel.objects.filter(push_broken_reason="").count() == len(rows)
    assert Channel.objects.exclude(sealed_push=b"").count() == len(rows)
    assert len(apns.pushes) == push_sweep.CANARIES


def test_one_device_with_a_forged_token_cannot_stop_a_fresh_certificate(apns, fresh, tenant):
    for number in range(1, 10):
        channel(tenant, number)
    apns.script(token_of(1), Answer.of("DeviceTokenNotForTopic"))
    push_sweep.sweep()
    assert push_certificate.status(tenant).state == "valid"
    assert Channel.objects.filter(pushed_at__isnull=False).count() == 8


@pytest.mark.parametrize("kind", ["self_signed", "expired", "wrong_host"])
def test_an_impostor_gets_no_push_and_the_queue_stays(
    kind, authority, certificate, tenant, settings
):
    server = {
        "self_signed": lambda: Authority("Somebody else").server(),
        "expired": lambda: authority.server(is_expired=True),
        "wrong_host": lambda: authority.server("push.example.org"),
    }[kind]()
    row = channel(tenant, 1)
    with FakeAPNs(authority=authority, certificate=server) as impostor:
        settings.MUSTER_APNS_URL = impostor.url
        push_sweep.sweep()
        assert impostor.pushes == []
    row.refresh_from_db()
    assert row.push_due_at is not None
    assert push_certificate.status(tenant).trouble_reason == "server_untrusted"


def test_trouble_is_forgotten_with_the_next_success(apns, certificate, tenant):
    certificate.data["trouble"] = {"reason": "timeout", "since": clock.now().isoformat()}
    certificate.save()
    channel(tenant, 1)
    push_sweep.sweep()
    assert push_certificate.status(tenant).trouble_reason == ""


def test_without_a_certificate_for_its_topic_a_push_waits(apns, certificate, tenant):
    row = channel(tenant, 1, topic=OTHER_TOPIC)
    push_sweep.sweep()
    row.refresh_from_db()
    assert 3500 < seconds_until(row.push_due_at) < 3700
    assert apns.pushes == []


def test_an_expired_certificate_is_not_even_shown(apns, tenant, authority):
    install(tenant, issued(authority, is_expired=True), **proven())
    row = channel(tenant, 1)
    push_sweep.sweep()
    row.refresh_from_db()
    assert row.push_due_at is not None
    assert (apns.pushes, apns.violations) == ([], [])
    assert push_certificate.status(tenant).state == "expired"


def test_devices_on_an_older_topic_are_pushed_with_the_older_certificate(
    apns, certificate, tenant, authority
):
    install(tenant, issued(authority, OTHER_TOPIC), topic=OTHER_TOPIC)
    channel(tenant, 1)
    channel(tenant, 2, topic=OTHER_TOPIC)
    assert push_sweep.sweep() == 2
    assert {sent.topic for sent in apns.pushes} == {TOPIC, OTHER_TOPIC}


def test_a_practice_certificate_never_talks_to_apple(apns, tenant, settings):
    practice = push_certificate.install_practice(tenant=tenant)
    settings.MUSTER_APNS_URL = "https://push.invalid"
    row = channel(tenant, 1, topic=push_store.topic_of(practice))
    push_sweep.sweep()
    row.refresh_from_db()
    assert row.push_due_at is None
    assert row.pushed_at is None
    practice.refresh_from_db()
    assert "trouble" not in practice.data


@pytest.mark.parametrize(
    "change",
    [{"state": DeviceState.RETIRED}, {"archived_at": dt.datetime(2026, 1, 1, tzinfo=dt.UTC)}],
)
def test_an_ended_device_is_not_pushed(apns, certificate, tenant, change):
    row = channel(tenant, 1)
    type(row.device).objects.update(**change)
    push_sweep.sweep()
    row.refresh_from_db()
    assert row.push_due_at is None
    assert apns.pushes == []


def test_a_channel_without_a_token_is_not_tried_for_ever(apns, certificate, tenant):
    row = channel(tenant, 1, sealed_push=b"")
    push_sweep.sweep()
    row.refresh_from_db()
    assert row.push_due_at is None


def test_a_token_sealed_under_a_lost_key_does_not_stop_the_others(apns, certificate, tenant):
    channel(tenant, 1, sealed_push=b"\x01" + bytes(60))
    assert channel(tenant, 2).push_due_at
    assert push_sweep.sweep() == 1


def test_two_sweeps_at_once_push_once(apns, certificate, tenant, monkeypatch):
    channel(tenant, 1)
    send = gateway.send

    def send_and_sweep(credentials, pushes):
        assert push_sweep.sweep() == 0
        return send(credentials, pushes)

    monkeypatch.setattr(gateway, "send", send_and_sweep)
    assert push_sweep.sweep() == 1
    assert len(apns.pushes) == 1


def test_a_killed_worker_costs_a_lease(apns, certificate, tenant, monkeypatch):
    row = channel(tenant, 1)

    def die(credentials, pushes):
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(gateway, "send", die)
        with pytest.raises(SystemExit):
            push_sweep.sweep()
    row.refresh_from_db()
    assert 0 < seconds_until(row.push_due_at) <= push_sweep.LEASE.total_seconds() + 2
    Channel.objects.update(push_due_at=F("push_due_at") - push_sweep.LEASE)
    Channel.objects.update(push_due_at=clock.now())
    assert push_sweep.sweep() == 1


def test_lost_pushes_converge(apns, certificate, tenant):
    """Every third push is swallowed by Apple; the plan repeats until nothing waits."""
    rows = [channel(tenant, number) for number in range(1, 31)]
    for row in rows:
        command = factories.command(row.device)

        def done(command=command):
            type(command).objects.filter(pk=command.pk).update(status=CommandStatus.ACKNOWLEDGED)

        row.woken = done
    for number, row in enumerate(rows, 1):
        if number % 3 == 0:
            apns.script(token_of(number), Answer(is_dropped=True))
        else:
            row.woken()
    for _round in range(3):
        Channel.objects.filter(push_due_at__isnull=False).update(push_due_at=clock.now())
        push_sweep.sweep()
        for row in rows:
            if len(apns.pushes_to(token_of(rows.index(row) + 1))) >= 2:
                row.woken()
    assert Channel.objects.filter(push_due_at__isnull=False).count() == 0
    assert all(len(apns.pushes_to(token_of(n))) == (2 if n % 3 == 0 else 1) for n in range(1, 31))


def test_a_sweep_goes_on_batch_by_batch_until_its_time_is_up(
    apns, certificate, tenant, monkeypatch
):
    monkeypatch.setattr(push_sweep, "BATCH", 4)
    for number in range(1, 11):
        channel(tenant, number)
    monkeypatch.setattr(push_sweep, "SWEEP_SECONDS", 0)
    assert push_sweep.sweep() == 0
    monkeypatch.setattr(push_sweep, "SWEEP_SECONDS", 90)
    assert push_sweep.sweep() == 10


def test_push_one_touches_only_its_channel(apns, certificate, tenant):
    mine, other = channel(tenant, 1), channel(tenant, 2)
    assert push_sweep.push_one(str(mine.pk))
    other.refresh_from_db()
    assert other.pushed_at is None
    assert not push_sweep.push_one(str(mine.pk))


def test_queries_do_not_grow_with_the_batch(
    apns, certificate, tenant, django_assert_max_num_queries
):
    for number in range(1, 60):
        channel(tenant, number)
    with django_assert_max_num_queries(8):
        assert push_sweep.sweep() == 59


def test_wake_rings_after_the_commit_only(tenant, monkeypatch, django_capture_on_commit_callbacks):
    from apple.tasks import push_channel

    rung = []
    monkeypatch.setattr(push_channel, "ring", lambda *args, **kwargs: rung.append(args))
    row = channel(tenant, 1, due=False)
    with django_capture_on_commit_callbacks(execute=True):
        push.wake(row)
        assert rung == []
    assert rung == [(str(row.pk),)]
    row.refresh_from_db()
    assert seconds_until(row.push_due_at) <= 0


def test_orders_within_seconds_of_a_push_share_the_next_one(tenant):
    row = channel(tenant, 1, due=False, pushed_at=clock.now())
    push.wake(row)
    row.refresh_from_db()
    assert 0 < seconds_until(row.push_due_at) <= 2


@pytest.mark.parametrize("state", [ChannelState.ENROLLING, ChannelState.ENDED])
def test_a_channel_that_is_not_active_is_not_woken(tenant, state):
    row = channel(tenant, 1, due=False, state=state)
    push.wake(row)
    row.refresh_from_db()
    assert row.push_due_at is None


def test_many_channels_are_woken_with_few_queries(tenant, django_assert_max_num_queries):
    ids = [channel(tenant, number, due=False).pk for number in range(1, 30)]
    with django_assert_max_num_queries(1):
        assert push.wake_all(ids) == 29


def silent(row, hours):
    DeviceContact.objects.filter(device=row.device).update(
        last_seen_at=clock.now() - dt.timedelta(hours=hours)
    )


def test_a_device_silent_for_a_day_is_pushed_again(apns, certificate, tenant):
    row = channel(tenant, 1, due=False)
    silent(row, 25)
    assert push.wake_silent() == 1
    assert push_sweep.sweep() == 1
    assert push.wake_silent() == 0


def test_devices_heard_of_lately_are_left_alone(tenant):
    silent(channel(tenant, 1, due=False), 23)
    recently = channel(tenant, 2, due=False, pushed_at=clock.now() - dt.timedelta(hours=3))
    silent(recently, 48)
    assert push.wake_silent() == 0


def test_silent_devices_that_ended_or_cannot_be_reached_are_left_alone(tenant):
    ended = channel(tenant, 1, due=False)
    type(ended.device).objects.filter(pk=ended.device.pk).update(state=DeviceState.RETIRED)
    broken = channel(tenant, 2, due=False, push_broken_reason="Unregistered")
    for row in (ended, broken):
        silent(row, 48)
    assert push.wake_silent() == 0


def test_an_order_that_nobody_pushes_any_more_is_found(tenant):
    row = channel(tenant, 1, due=False)
    factories.command(row.device, status=CommandStatus.NOT_NOW)
    assert push.wake_silent() == 1


def test_silent_devices_are_woken_in_bounded_pages(tenant, monkeypatch):
    monkeypatch.setattr(push, "PAGE", 4)
    for number in range(1, 12):
        silent(channel(tenant, number, due=False), 48)
    assert push.wake_silent(limit=8) == 8
    assert push.wake_silent(limit=8) == 3


def test_settling_compares_the_lease(tenant):
    row = channel(tenant, 1)
    Channel.objects.update(push_due_at=clock.now() + dt.timedelta(hours=5))
    push_settle.clear([row])
    push_settle.park([row], until=clock.now())
    row.refresh_from_db()
    assert seconds_until(row.push_due_at) > 4 * 3600


def test_a_retired_certificate_is_not_paused_any_more(certificate):
    from apple.services import push_health

    StoredKey.objects.update(retired_at=clock.now())
    push_health.pause(row_id=certificate.pk, status=403, reason="Forbidden")
    certificate.refresh_from_db()
    assert "paused" not in certificate.data

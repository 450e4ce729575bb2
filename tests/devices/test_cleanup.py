"""Cleanup rules: what they take, when they run, who may change them."""

from __future__ import annotations

import datetime as dt

import pytest
from django.core.exceptions import ValidationError

from core import clock
from devices.errors import ActionNotAllowed
from devices.models import CleanupRule, Device, DeviceContact
from devices.services import cleanup, safeguards
from tests import factories
from tests.portal import history_of, path, text

pytestmark = pytest.mark.django_db
KINDS = list(cleanup.KINDS)


def aged(tenant, days: float, **fields) -> Device:
    device = factories.device(tenant, factories.user(tenant), **fields)
    at = clock.now() - dt.timedelta(days=days)
    Device.objects.filter(pk=device.pk).update(state_changed_at=at)
    DeviceContact.objects.update_or_create(device=device, defaults={"last_seen_at": at})
    device.refresh_from_db()
    return device


def rule(tenant, kind: str, **fields) -> CleanupRule:
    return CleanupRule.objects.create(tenant=tenant, kind=kind, **fields)


def run(made: CleanupRule) -> int | None:
    CleanupRule.objects.filter(pk=made.pk).update(next_run_at=clock.now())
    return cleanup.run(made.pk)


STATES = {
    "retire_silent": "active",
    "close_retire": "retire_sent",
    "delete_retired": "retired",
    "delete_wiped": "wiped",
    "delete_wipe_pending": "wipe_pending",
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_rule_takes_what_is_old_enough_and_nothing_else(tenant, other_tenant, kind):
    state = STATES[kind]
    old, young = aged(tenant, 31, state=state), aged(tenant, 29, state=state)
    foreign = aged(other_tenant, 99, state=state)
    others = [aged(tenant, 99, state=one) for one in set(STATES.values()) - {state}]
    assert list(cleanup.due(rule(tenant, kind))) == [old]
    assert run(CleanupRule.objects.get()) == 1
    kept = set(Device.objects.values_list("pk", flat=True))
    assert {young.pk, foreign.pk, *(one.pk for one in others)} <= kept
    if kind.startswith("delete"):
        assert old.pk not in kept
    else:
        old.refresh_from_db()
        assert old.state == ("retire_pending" if kind == "retire_silent" else "retired")


def test_a_device_that_spoke_lately_is_not_silent(tenant):
    device = aged(tenant, 90)
    DeviceContact.objects.filter(device=device).update(last_seen_at=clock.now())
    assert not cleanup.due(rule(tenant, "retire_silent")).exists()


def test_a_run_takes_so_many_the_oldest_first(tenant):
    made = rule(tenant, "delete_retired", limit=100)
    devices = [aged(tenant, 40 + number, state="retired") for number in range(3)]
    CleanupRule.objects.update(limit=2)
    assert run(made) == 2
    assert list(Device.objects.filter(tenant=tenant)) == [devices[0]]


def test_one_that_fails_does_not_stop_the_others(tenant, monkeypatch):
    from devices.errors import NotSupported

    first, second = aged(tenant, 50, state="retired"), aged(tenant, 40, state="retired")
    real = cleanup.lifecycle.delete

    def delete(*, device, actor):
        if device.pk == first.pk:
            raise NotSupported
        real(device=device, actor=actor)

    monkeypatch.setattr(cleanup.lifecycle, "delete", delete)
    assert run(rule(tenant, "delete_retired")) == 1
    assert Device.objects.filter(pk=first.pk).exists()
    assert not Device.objects.filter(pk=second.pk).exists()


def test_it_runs_on_schedule_and_once(tenant, owner):
    made = cleanup.change(
        rule=rule(tenant, "delete_retired"),
        principal=owner,
        actor=owner.actor,
        schedule="weekly",
    )
    assert dt.timedelta(days=6) < made.next_run_at - clock.now() <= dt.timedelta(days=7)
    aged(tenant, 99, state="retired")
    assert cleanup.sweep() == 0
    CleanupRule.objects.update(next_run_at=clock.now())
    assert cleanup.sweep() == 1
    assert cleanup.sweep() == 0
    made.refresh_from_db()
    assert made.last_count == 1
    assert made.next_run_at > clock.now()
    assert history_of(made) == ["devices.cleanup.changed", "devices.cleanup.done"]


def test_two_workers_do_not_run_it_twice(tenant):
    made = rule(tenant, "delete_retired", next_run_at=clock.now())
    assert cleanup.run(made.pk) == 0
    assert cleanup.run(made.pk) is None


def test_a_dead_worker_costs_minutes(tenant, monkeypatch):
    made = rule(tenant, "delete_retired", next_run_at=clock.now())
    aged(tenant, 99, state="retired")
    monkeypatch.setattr(cleanup, "due", lambda rule: (_ for _ in ()).throw(SystemExit))
    with pytest.raises(SystemExit):
        cleanup.run(made.pk)
    monkeypatch.undo()
    made.refresh_from_db()
    assert clock.now() < made.next_run_at <= clock.now() + cleanup.LEASE
    assert run(made) == 1


def test_nothing_is_tidied_up_while_orders_are_frozen(tenant, owner):
    made = rule(tenant, "delete_retired")
    aged(tenant, 99, state="retired")
    safeguards.freeze(tenant=tenant, actor=owner.actor, reason="something is wrong")
    assert run(made) == 0
    assert Device.objects.count() == 1


@pytest.mark.parametrize(
    "fields", [{"days": 0}, {"days": 366}, {"limit": 7}, {"schedule": "hourly"}]
)
def test_a_rule_has_limits(tenant, owner, fields):
    made = rule(tenant, "delete_retired")
    with pytest.raises((ValidationError, ValueError)):
        cleanup.change(rule=made, principal=owner, actor=owner.actor, **fields)


def test_nobody_orders_what_they_may_not_do(tenant, helpdesk):
    made = rule(tenant, "delete_retired")
    for act in (cleanup.change, cleanup.run_now):
        with pytest.raises(ActionNotAllowed):
            act(rule=made, principal=helpdesk, actor=helpdesk.actor)


def test_the_page_shows_whom_a_rule_would_take(signed_in, owner, auditor, tenant):
    old = aged(tenant, 40, state="retired", name="Old phone")
    client = signed_in(owner)
    assert "Delete retired entries" in text(client.get(path("devices:cleanup-list")))
    page = path("devices:cleanup-rule", "delete_retired")
    shown = text(client.get(page))
    assert "1 entry is due now" in shown
    assert "Old phone" in shown
    client.post(page, {"days": "60", "limit": "500", "schedule": "daily"})
    made = CleanupRule.objects.get()
    assert (made.days, made.limit, made.schedule) == (60, 500, "daily")
    assert "0 entries are due now" in text(client.get(page))
    assert client.post(page, {"days": "400", "limit": "500", "schedule": "off"}).status_code == 422
    assert client.get(path("devices:cleanup-rule", "nothing")).status_code == 404
    client = signed_in(auditor)
    assert "not change it" in text(client.get(page))
    client.post(page, {"days": "1", "limit": "100", "schedule": "off"})
    assert CleanupRule.objects.get().days == 60
    assert client.post(path("devices:cleanup-run", "delete_retired")).status_code == 403
    assert Device.objects.filter(pk=old.pk).exists()


def test_it_is_run_from_the_page(signed_in, owner, tenant, django_capture_on_commit_callbacks):
    aged(tenant, 40, state="retired")
    client = signed_in(owner)
    with django_capture_on_commit_callbacks():
        client.post(path("devices:cleanup-run", "delete_retired"))
    assert cleanup.sweep() == 1
    assert CleanupRule.objects.get().next_run_at is None


def test_programs_have_the_same(client, owner, helpdesk, tenant):
    aged(tenant, 40, state="wiped")
    _, secret = factories.token(owner, "settings.manage", "devices.delete")
    headers = {"Authorization": f"Bearer {secret}"}
    url = "/api/v1/cleanup-rules/"
    found = {row["kind"]: row for row in client.get(url, headers=headers).json()}
    assert found["delete_wiped"]["due"] == 1
    options = {"content_type": "application/json", "headers": headers}
    answer = client.patch(f"{url}delete_wiped/", {"days": 60}, **options)
    assert (answer.status_code, answer.json()["due"]) == (200, 0)
    assert client.patch(f"{url}delete_wiped/", {"days": 0}, **options).status_code == 400
    assert client.patch(f"{url}nothing/", {"days": 5}, **options).status_code == 404
    assert client.post(f"{url}delete_wiped/run/", **options).status_code == 202
    assert client.post(f"{url}retire_silent/run/", **options).status_code == 403

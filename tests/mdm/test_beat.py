from __future__ import annotations

import datetime as dt

import pytest
from celery import current_app
from django.db import OperationalError

from core import clock
from core.models import NamedLease
from core.services import leases
from mdm import beat
from mdm.beat import LeasedScheduler
from mdm.celery import _defaults, app
from mdm.schedule import SWEEPS, beat_schedule

pytestmark = pytest.mark.django_db
TTL = dt.timedelta(seconds=30)


@pytest.fixture
def rings(monkeypatch):
    """The names of the tasks that any scheduler has rung."""
    rung = []
    monkeypatch.setattr(
        LeasedScheduler, "apply_async", lambda self, entry, **options: rung.append(entry.task)
    )
    return rung


@pytest.fixture
def scheduler(rings, monkeypatch):
    # The test's own transaction lives on the connection that a real beat would renew.
    monkeypatch.setattr(beat, "close_old_connections", lambda: None)
    made = []

    def make():
        one = LeasedScheduler(app=app, lazy=True)
        one.update_from_dict({"now": {"task": "core.tasks.sweep_outbox", "schedule": 0}})
        made.append(one)
        return one

    yield make
    for one in made:
        one.close()


def test_a_lease_is_held_by_one(scheduler):
    assert leases.hold(name="x", holder="a", ttl=TTL)
    assert not leases.hold(name="x", holder="b", ttl=TTL)
    assert leases.hold(name="x", holder="a", ttl=TTL)


def test_a_lease_that_ran_out_can_be_taken():
    leases.hold(name="x", holder="a", ttl=TTL)
    NamedLease.objects.update(expires_at=clock.now() - dt.timedelta(seconds=1))
    assert leases.hold(name="x", holder="b", ttl=TTL)
    assert not leases.hold(name="x", holder="a", ttl=TTL)


def test_only_the_holder_gives_a_lease_back():
    leases.hold(name="x", holder="a", ttl=TTL)
    leases.release(name="x", holder="b")
    assert not leases.hold(name="x", holder="b", ttl=TTL)
    leases.release(name="x", holder="a")
    assert leases.hold(name="x", holder="b", ttl=TTL)


def test_of_two_beats_only_one_rings(scheduler, rings):
    first, second = scheduler(), scheduler()
    first.tick()
    second.tick()
    assert rings == ["core.tasks.sweep_outbox"]


def test_the_second_beat_takes_over_when_the_first_leaves(scheduler, rings):
    first, second = scheduler(), scheduler()
    first.tick()
    first.close()
    second.tick()
    assert len(rings) == 2


def test_without_a_database_nothing_is_rung_and_beat_goes_on(scheduler, rings, monkeypatch):
    def down(**_):
        raise OperationalError("gone")

    monkeypatch.setattr(beat.leases, "hold", down)
    one = scheduler()
    assert one.tick() == beat.RENEW_SECONDS
    assert rings == []


def test_a_tick_never_lets_the_lease_run_out(scheduler):
    one = scheduler()
    one.update_from_dict({"later": {"task": "core.tasks.forget_old", "schedule": 86400}})
    assert one.tick() <= beat.RENEW_SECONDS < beat.LEASE.total_seconds() / 2


def test_a_new_beat_rings_for_everything_at_once(scheduler, rings):
    LeasedScheduler(app=app).tick()
    assert rings
    one = LeasedScheduler(app=app)
    assert all(entry.is_due().is_due for entry in one.schedule.values())


def test_every_scheduled_name_is_a_task():
    current_app.loader.import_default_modules()
    assert set(SWEEPS) <= set(app.tasks)


def test_every_sweep_is_scheduled():
    current_app.loader.import_default_modules()
    sweeps = {name for name in app.tasks if ".sweep_" in name}
    assert sweeps <= set(SWEEPS)


def test_rings_that_nobody_heard_expire():
    assert all(entry["options"]["expires"] > 0 for entry in beat_schedule().values())


def test_only_json_is_accepted():
    assert app.conf.accept_content == ["json"]
    assert app.conf.task_acks_late


@pytest.mark.parametrize(("url", "at_once"), [("", 32), ("redis://localhost:1/0", 1)])
def test_rings_are_taken_as_the_broker_needs_it(settings, tmp_path, url, at_once):
    settings.REDIS_URL, settings.DATA_DIR = url, tmp_path
    assert _defaults()["worker_prefetch_multiplier"] == at_once

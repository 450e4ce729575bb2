from __future__ import annotations

import threading

import pytest
from django.db import connection

from core import ids
from core.models import HistoryEntry
from devices import errors
from devices.models import Command, Device
from devices.services import entries, lifecycle, wipes
from devices.services.entries import Facts
from devices.states import CommandStatus, DeviceState
from tests import factories

pytestmark = pytest.mark.django_db
UDID = "00008030-001A2B3C4D5E6F70"


def enroll(tenant, user, *, key=UDID, limit=10, activate=True):
    device = entries.open_entry(
        tenant=tenant,
        key=key,
        platform="iphone",
        channel_kind="apple",
        user=user,
        session_id=ids.uuid7(),
        facts=Facts(name="iPhone", serial="C39XXXXX"),
        device_limit=limit,
    )
    if activate:
        lifecycle.activate(device_id=device.pk, actor=device.actor)
    return device


def test_the_first_entry_is_epoch_one_and_enrolling(tenant, person):
    device = enroll(tenant, person, activate=False)
    assert (device.epoch, device.state, device.user) == (1, DeviceState.ENROLLING, person)
    assert device.channels.count() == 1


def test_a_new_enrollment_archives_the_old_entry_with_its_history(tenant, person, owner):
    old = enroll(tenant, person)
    pending = factories.command(old, "EraseDevice")
    new = enroll(tenant, person)
    old.refresh_from_db()
    pending.refresh_from_db()
    assert (old.state, old.superseded_by) == (DeviceState.RESET, new)
    assert old.archived_at is not None
    assert pending.status == CommandStatus.CANCELLED
    assert new.epoch == 2
    assert list(Device.objects.current()) == [new]
    assert HistoryEntry.objects.about(old).filter(action="devices.device.archived").exists()


def test_a_pending_wipe_never_reaches_the_re_enrolled_device(tenant, person, owner):
    old = enroll(tenant, person)
    wipes.order(device=old, actor=owner.actor, confirmation=old.label, reason="lost")
    new = enroll(tenant, person)
    assert not Command.objects.open().exists()
    assert Device.objects.get(pk=new.pk).state == DeviceState.ACTIVE


def test_a_retired_predecessor_stays_retired(tenant, person, owner):
    old = enroll(tenant, person)
    lifecycle.transition(device_id=old.pk, to=DeviceState.RETIRED, actor=owner.actor)
    enroll(tenant, person)
    old.refresh_from_db()
    assert (old.state, old.archived_at is not None) == (DeviceState.RETIRED, True)


def test_the_same_device_in_two_tenants_has_two_entries(tenant, other_tenant, person, stranger):
    ours, theirs = enroll(tenant, person), enroll(other_tenant, stranger)
    ours.refresh_from_db()
    assert ours.archived_at is None
    assert ours.physical_id != theirs.physical_id


def test_the_device_limit_counts_other_devices_only(tenant, person):
    enroll(tenant, person, limit=1)
    enroll(tenant, person, limit=1)
    with pytest.raises(errors.DeviceLimitReached):
        enroll(tenant, person, key="another", limit=1)
    assert enroll(tenant, person, key="another", limit=None)


@pytest.mark.django_db(transaction=True)
def test_eight_enrollments_at_once_leave_one_current_entry(tenant, person):
    barrier, failures = threading.Barrier(8), []

    def attempt() -> None:
        barrier.wait()
        try:
            enroll(tenant, person, activate=False)
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=attempt) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert Device.objects.current().count() == 1
    assert sorted(Device.objects.values_list("epoch", flat=True)) == list(range(1, 9))

"""Re-enrollment by what a device reports: one entry up to Android 9, predecessors from 10 on."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import ids
from core.actors import Actor
from devices.errors import DeviceLimitReached, NotSupported
from devices.models import Command, Device, PhysicalDevice
from devices.reenrollment import Identifiers, are_same, keeps_one_entry
from devices.services import commands, lifecycle, reenrollment
from devices.services.entries import Facts
from devices.states import MANAGED, OPEN_COMMANDS, DeviceState
from tests import factories
from tests.portal import history_of

pytestmark = pytest.mark.django_db
ACTOR = Actor.system("tests")
S = DeviceState
PHONE = Identifiers(serial="R58M12ABCDE", brand="Samsung", imeis=frozenset({"356938035643809"}))


def enroll(tenant, *, identifiers=PHONE, os="13", user=None, limit=None, activate=True):
    done = reenrollment.enroll(
        tenant=tenant,
        platform="android",
        channel_kind="android",
        identifiers=identifiers,
        user=user,
        session_id=ids.uuid7(),
        facts=Facts(name="Galaxy", serial=identifiers.serial, os_version=os),
        device_limit=limit,
        actor=ACTOR,
    )
    if activate:
        lifecycle.activate(device_id=done.device.pk, actor=ACTOR)
        done.device.refresh_from_db()
    return done


def set_state(device, state) -> None:
    Device.objects.filter(pk=device.pk).update(state=state)
    device.refresh_from_db()


@pytest.mark.parametrize(
    ("version", "is_one"),
    [("9", True), ("9.1", True), ("8.0.0", True), ("10", False), ("14", False), ("", False)],
)
def test_one_entry_up_to_android_nine(version, is_one):
    assert keeps_one_entry("android", version) is is_one
    assert not keeps_one_entry("iphone", version)


@pytest.mark.parametrize("state", [state for state in S if state != S.ENROLLING])
def test_android_nine_takes_up_its_entry_whatever_became_of_it(tenant, person, state):
    first = enroll(tenant, os="9", user=person).device
    command = factories.command(first, "DeviceLock")
    set_state(first, state)
    again = enroll(tenant, os="9", user=person)
    assert again.is_same_entry
    assert again.device.pk == first.pk
    assert again.device.state == S.ACTIVE
    assert again.device.epoch == 2
    assert Device.objects.count() == 1
    command.refresh_from_db()
    assert command.status == "cancelled"
    assert "devices.device.re_enrolled" in history_of(first)


@pytest.mark.parametrize(
    ("state", "end"),
    [
        (S.ACTIVE, S.RESET),
        (S.RETIRE_PENDING, S.RETIRED),
        (S.RETIRE_SENT, S.RETIRED),
        (S.RETIRED, S.RETIRED),
        (S.WIPE_PENDING, S.WIPED),
        (S.WIPE_SENT, S.WIPED),
        (S.WIPED, S.WIPED),
        (S.UNENROLLED, S.UNENROLLED),
    ],
)
def test_android_ten_archives_every_predecessor(tenant, state, end):
    first = enroll(tenant).device
    set_state(first, state)
    second = enroll(tenant)
    first.refresh_from_db()
    assert not second.is_same_entry
    assert second.is_linked
    assert (first.state, first.superseded_by) == (end, second.device)
    assert first.archived_at is not None
    third = enroll(tenant).device
    assert list(Device.objects.current()) == [third]
    assert Device.objects.count() == 3


def test_the_version_that_the_new_enrollment_reports_counts(tenant):
    first = enroll(tenant, os="9").device
    updated = enroll(tenant, os="10")
    assert not updated.is_same_entry
    assert updated.device.pk != first.pk


def test_a_device_that_hides_itself_is_not_linked_and_can_be_joined_by_hand(tenant, person):
    first = enroll(tenant, user=person).device
    hidden = enroll(tenant, identifiers=Identifiers(), user=person)
    assert not hidden.is_linked
    assert Device.objects.current().count() == 2
    waiting = factories.command(hidden.device, "DeviceLock")
    merged = reenrollment.merge(device=hidden.device, earlier=first, actor=ACTOR)
    first.refresh_from_db()
    waiting.refresh_from_db()
    assert list(Device.objects.current()) == [merged]
    assert (first.physical, first.state) == (merged.physical, S.RESET)
    assert (merged.epoch, waiting.epoch) == (2, 2)
    assert PhysicalDevice.objects.count() == 1
    assert enroll(tenant).device.physical == merged.physical


def test_what_must_not_be_joined(tenant, other_tenant, device):
    first, second = enroll(tenant).device, enroll(tenant, identifiers=Identifiers()).device
    foreign = enroll(other_tenant).device
    for one, other in ((second, foreign), (device, first), (first, first), (first, second)):
        with pytest.raises(NotSupported):
            reenrollment.merge(device=one, earlier=other, actor=ACTOR)


@pytest.mark.parametrize(
    "nothing", ["", "unknown", "UNKNOWN", "0", "000000000000000", "null", "123456789", "N/A", " "]
)
def test_what_is_no_identifier_joins_nothing(tenant, nothing):
    bare = Identifiers(serial=nothing, brand="Acme", imeis=frozenset({nothing}))
    assert bare.tokens() == frozenset()
    enroll(tenant, identifiers=bare)
    assert not enroll(tenant, identifiers=bare).is_linked


@pytest.mark.parametrize(
    ("other", "is_same"),
    [
        (Identifiers(serial=" r58m12abcde ", brand="SAMSUNG"), True),
        (Identifiers(serial="R58M12ABCDE", brand="Nokia"), False),
        (Identifiers(imeis=frozenset({"356938035643809", "1"})), True),
        (Identifiers(enterprise_id="R58M12ABCDE"), False),
        (Identifiers(), False),
    ],
)
def test_what_is_compared(other, is_same):
    assert are_same(PHONE.tokens(), other.tokens()) is is_same


def test_a_former_id_of_the_channel_is_the_same_device(tenant):
    first = enroll(tenant, identifiers=Identifiers(external_id="enterprises/1/devices/a1b2"))
    again = enroll(
        tenant,
        identifiers=Identifiers(
            external_id="enterprises/1/devices/c3d4",
            former_ids=frozenset({"enterprises/1/devices/a1b2"}),
        ),
    )
    assert again.is_linked
    assert again.device.physical == first.device.physical


def test_two_entries_that_turn_out_to_be_one_device(tenant):
    one = enroll(tenant, identifiers=Identifiers(serial="SERIALONE", brand="a")).device
    two = enroll(tenant, identifiers=Identifiers(imeis=frozenset({"490154203237518"}))).device
    both = Identifiers(serial="SERIALONE", brand="a", imeis=frozenset({"490154203237518"}))
    new = enroll(tenant, identifiers=both).device
    assert list(Device.objects.current()) == [new]
    for old in (one, two):
        old.refresh_from_db()
        assert old.superseded_by == new


def test_another_organisations_device_is_never_touched(tenant, other_tenant):
    foreign = enroll(other_tenant).device
    own = enroll(tenant)
    foreign.refresh_from_db()
    assert not own.is_linked
    assert (foreign.state, foreign.archived_at) == (S.ACTIVE, None)


def test_the_limit_counts_other_devices_only(tenant, person):
    enroll(tenant, user=person, limit=1, os="9")
    enroll(tenant, user=person, limit=1, os="9")
    other = Identifiers(serial="ANOTHERONE", brand="b")
    with pytest.raises(DeviceLimitReached):
        enroll(tenant, identifiers=other, user=person, limit=1)


@pytest.mark.parametrize("os", ["9", "10"])
def test_a_late_answer_of_an_older_epoch_changes_nothing(tenant, os):
    device = enroll(tenant, os=os).device
    channel = device.channels.get()
    old = factories.command(device, "EraseDevice", status="sent")
    new = enroll(tenant, os=os).device
    late = commands.Result(status="acknowledged")
    commands.record_result(channel=channel, command_id=old.pk, result=late)
    assert commands.hand_out(channel=channel, is_idle=True) is None
    for row in Device.objects.all():
        assert row.state in (S.ACTIVE, S.RESET)
    new.refresh_from_db()
    assert (new.state, new.archived_at) == (S.ACTIVE, None)


POOL = [
    Identifiers(serial="SERIALAAA", brand="x"),
    Identifiers(serial="SERIALBBB", brand="x"),
    Identifiers(imeis=frozenset({"490154203237518"})),
    Identifiers(serial="SERIALAAA", brand="x", imeis=frozenset({"490154203237518"})),
    Identifiers(enterprise_id="ENTERPRISE1"),
    Identifiers(serial="SERIALBBB", brand="x", enterprise_id="ENTERPRISE1"),
    Identifiers(),
]
steps = st.lists(
    st.tuples(
        st.sampled_from(["enroll", "state", "merge"]),
        st.integers(0, len(POOL) - 1),
        st.sampled_from(["8", "9", "10", "14"]),
        st.sampled_from([S.RETIRE_PENDING, S.WIPE_SENT, S.RETIRED, S.WIPED, S.UNENROLLED]),
        st.integers(0, 20),
    ),
    min_size=1,
    max_size=12,
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=steps)
def test_never_two_live_entries_of_one_device(db, steps):
    tenant = factories.tenant()
    for action, which, version, state, index in steps:
        entries = list(Device.objects.filter(tenant=tenant).order_by("created_at"))
        if action == "enroll":
            device = enroll(tenant, identifiers=POOL[which], os=version).device
            factories.command(device, "DeviceLock")
        elif entries:
            entry = entries[index % len(entries)]
            if action == "state" and entry.archived_at is None:
                set_state(entry, state)
            elif action == "merge" and len(entries) > 1:
                merge_quietly(entries[-1], entry)
        check(tenant)


def merge_quietly(device, earlier) -> None:
    try:
        reenrollment.merge(device=device, earlier=earlier, actor=ACTOR)
    except NotSupported:
        return


def check(tenant) -> None:
    rows = list(Device.objects.filter(tenant=tenant).select_related("physical"))
    live = [row for row in rows if row.archived_at is None]
    assert len({row.physical_id for row in live}) == len(live)
    assert len({(row.physical_id, row.epoch) for row in rows}) == len(rows)
    for row in rows:
        if row.archived_at is not None:
            assert row.state not in MANAGED
            assert row.superseded_by_id is not None
    waiting = Command.objects.filter(device__tenant=tenant, status__in=OPEN_COMMANDS)
    for command in waiting.select_related("device"):
        assert command.device.archived_at is None
        assert command.epoch == command.device.epoch

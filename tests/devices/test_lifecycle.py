from __future__ import annotations

import datetime as dt

import pytest

from core import clock
from core.models import HistoryEntry
from devices import errors
from devices.models import Channel, Command, Device
from devices.services import actions, commands, lifecycle, pins, wipes
from devices.services.commands import Result
from devices.states import CommandStatus, DeviceState
from tests import factories

pytestmark = pytest.mark.django_db
S = DeviceState


def wipe(device, owner, **fields):
    return wipes.order(
        device=device,
        actor=owner.actor,
        **{"confirmation": device.label, "reason": "stolen"} | fields,
    )


def told(device) -> list[str]:
    return list(HistoryEntry.objects.about(device).order_by("id").values_list("action", flat=True))


def test_a_retire_is_pending_and_in_the_history(device, owner):
    assert lifecycle.request_retire(device=device, actor=owner.actor).state == S.RETIRE_PENDING
    entry = HistoryEntry.objects.about(device).get(action="devices.device.retire_pending")
    assert entry.data["state"] == ["active", "retire_pending"]
    assert entry.actor_label == owner.email


def test_a_cancelled_retire_returns_to_active_and_takes_the_command_back(device, owner):
    lifecycle.request_retire(device=device, actor=owner.actor)
    assert lifecycle.cancel_order(device=device, actor=owner.actor).state == S.ACTIVE
    assert Command.objects.get().status == CommandStatus.CANCELLED
    assert told(device)[-1] == "devices.retire.cancelled"


def test_an_order_that_the_device_has_cannot_be_cancelled(device, owner):
    lifecycle.request_retire(device=device, actor=owner.actor)
    commands.hand_out(channel=device.channels.get(), is_idle=True)
    with pytest.raises(errors.CannotCancel):
        lifecycle.cancel_order(device=device, actor=owner.actor)
    device.refresh_from_db()
    assert device.state == S.RETIRE_PENDING


def test_an_order_that_was_answered_not_now_can_be_cancelled(device, owner):
    lifecycle.request_retire(device=device, actor=owner.actor)
    channel = device.channels.get()
    command = commands.hand_out(channel=channel, is_idle=True)
    commands.record_result(
        channel=channel, command_id=command.pk, result=Result(CommandStatus.NOT_NOW)
    )
    assert lifecycle.cancel_order(device=device, actor=owner.actor).state == S.ACTIVE


@pytest.mark.parametrize("state", [S.RETIRED, S.WIPED, S.UNENROLLED, S.RETIRE_PENDING])
def test_only_an_active_device_can_be_retired(device, owner, state):
    Device.objects.filter(pk=device.pk).update(state=state)
    with pytest.raises(errors.WrongState):
        lifecycle.request_retire(device=device, actor=owner.actor)
    assert not Command.objects.exists()


def test_a_wipe_needs_the_typed_name_and_a_reason(device, owner):
    with pytest.raises(errors.ConfirmationMismatch):
        wipe(device, owner, confirmation="ok")
    with pytest.raises(errors.ReasonMissing):
        wipe(device, owner, reason="  ")
    device.refresh_from_db()
    assert device.state == S.ACTIVE
    assert wipe(device, owner, confirmation=f" {device.label.upper()} ").state == S.WIPE_PENDING


@pytest.mark.parametrize(
    ("name", "typed", "fits"),
    [
        ("Pia’s iPhone", "Pia's iPhone", True),
        ("MacBook\u00a0Pro de «Léa»", 'MacBook Pro de "Léa"', True),
        ("Le\u0301a 🦊\u200d❄️", "léa 🦊❄️", True),
        ("iPhone\u200b", "iPhone", True),
        ("\u200b", "\u200b", True),
        ("\u200b", " \u200c", False),
        ("\u200b", "x", False),
        ("Pia’s iPhone", "Pias iPhone", False),
        ("iPhone 1", "iPhone 11", False),
    ],
)
def test_a_name_is_confirmed_as_a_keyboard_has_it(device, owner, name, typed, fits):
    Device.objects.filter(pk=device.pk).update(name=name)
    device.refresh_from_db()
    if fits:
        assert wipe(device, owner, confirmation=typed).state == S.WIPE_PENDING
    else:
        with pytest.raises(errors.ConfirmationMismatch):
            wipe(device, owner, confirmation=typed)


def test_one_wipe_at_a_time(device, owner, tenant, person):
    wipe(device, owner)
    with pytest.raises(errors.WipeLimitReached):
        wipe(factories.device(tenant, person), owner)


def test_another_tenants_wipe_does_not_count(device, owner, foreign_device, stranger):
    wipe(foreign_device, stranger)
    assert wipe(device, owner).state == S.WIPE_PENDING


def test_an_archived_entry_takes_no_orders(device, owner):
    Device.objects.filter(pk=device.pk).update(archived_at=clock.now())
    device.refresh_from_db()
    with pytest.raises(errors.NotSupported):
        lifecycle.request_retire(device=device, actor=owner.actor)


def test_a_platform_without_the_action_says_so(device, owner, backend):
    backend.offered = frozenset({"check_in"})
    with pytest.raises(errors.NotSupported):
        wipe(device, owner)


def test_an_ended_device_has_no_queue_and_no_push(device, owner):
    factories.command(device)
    Channel.objects.update(sealed_push=b"x", push_due_at=clock.now())
    lifecycle.transition(device_id=device.pk, to=S.UNENROLLED, actor=owner.actor)
    channel = Channel.objects.get()
    assert Command.objects.get().status == CommandStatus.CANCELLED
    assert (bytes(channel.sealed_push), channel.push_due_at) == (b"", None)
    assert "devices.queue.cancelled" in told(device)


def test_the_person_removing_management_is_told_apart_from_an_order(device, owner):
    assert lifecycle.unenroll(device_id=device.pk, actor=device.actor).state == S.UNENROLLED
    other = factories.device(device.tenant, device.user)
    lifecycle.request_retire(device=other, actor=owner.actor)
    assert lifecycle.unenroll(device_id=other.pk, actor=other.actor).state == S.RETIRED


def test_a_second_check_out_changes_nothing(device):
    lifecycle.unenroll(device_id=device.pk, actor=device.actor)
    before = told(device)
    lifecycle.unenroll(device_id=device.pk, actor=device.actor)
    assert told(device) == before


def test_an_enrollment_that_never_finished_is_abandoned(device):
    Device.objects.filter(pk=device.pk).update(
        state=S.ENROLLING, state_changed_at=clock.now() - dt.timedelta(minutes=31)
    )
    assert lifecycle.abandon_unfinished() == 1
    device.refresh_from_db()
    assert device.state == S.ABANDONED


def test_a_mac_is_locked_with_one_pin_that_only_some_may_see(tenant, person, owner):
    mac = factories.device(tenant, person, platform="mac")
    first = actions.lock(device=mac, actor=owner.actor)
    second = actions.lock(device=mac, actor=owner.actor)
    pin = commands.secret_params(first)["pin"]
    assert commands.secret_params(second)["pin"] == pin
    assert (len(pin), pin.isdigit()) == (6, True)
    mac.refresh_from_db()
    assert pin.encode() not in bytes(mac.sealed_pin)
    assert pins.reveal_pin(device=mac, actor=owner.actor) == pin
    assert "devices.pin.revealed" in told(mac)


def test_only_an_ended_or_pending_entry_can_be_deleted(device, owner):
    with pytest.raises(errors.NotSupported):
        lifecycle.delete(device=device, actor=owner.actor)
    lifecycle.unenroll(device_id=device.pk, actor=device.actor)
    lifecycle.delete(device=device, actor=owner.actor)
    assert not Device.objects.exists()
    assert HistoryEntry.objects.filter(action="devices.device.deleted").exists()

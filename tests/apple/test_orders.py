"""Lock, retire and wipe, from the request to the end."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine

from apple.errors import CommandRefused
from core import clock
from devices.errors import NotSupported
from devices.models import Command, Device
from devices.services import actions, commands, lifecycle, wipes
from devices.states import CommandStatus, DeviceState
from tests.apple import messages, wire
from tests.apple.wire import Mac, Phone

pytestmark = pytest.mark.django_db
ERROR = [{"ErrorCode": 1, "ErrorDomain": "X", "LocalizedDescription": "no"}]
CHECK_OUT = {"MessageType": "CheckOut", "Topic": messages.TOPIC}


@pytest.fixture
def phone(client, tenant, person):
    phone = Phone(client, tenant, person).enroll()
    phone.drain()
    return phone


@pytest.fixture
def mac(client, tenant, person):
    mac = Mac(client, tenant, person).enroll()
    mac.drain()
    return mac


def retire(phone: Phone) -> None:
    lifecycle.request_retire(device=phone.device, actor=phone.user.actor, reason="left")


def wipe(phone: Phone, **options) -> None:
    wipes.order(
        device=phone.device,
        actor=phone.user.actor,
        confirmation=phone.device.label,
        reason="lost",
        options=options,
    )


def test_a_phone_is_locked_with_a_message_and_without_a_pin(phone, helpdesk):
    actions.lock(
        device=phone.device, actor=helpdesk.actor, message="Call us", phone="+33 1", reason="lost"
    )
    sent = phone.say("Idle")
    assert sent["Command"] == {
        "RequestType": "DeviceLock",
        "Message": "Call us",
        "PhoneNumber": "+33 1",
    }
    phone.say("Acknowledged", sent["CommandUUID"], MessageResult="NoPasscodeSet")
    command = Command.objects.get(kind="DeviceLock")
    assert command.result == {"message_result": "NoPasscodeSet"}
    assert phone.device.state == DeviceState.ACTIVE
    assert "devices.lock.confirmed" in wire.history_of(phone.device)


def test_a_mac_is_locked_with_a_pin_that_is_kept_and_stays_the_same(mac, helpdesk):
    from devices.services import pins

    actions.lock(device=mac.device, actor=helpdesk.actor)
    sent = mac.say("Idle")
    pin = sent["Command"]["PIN"]
    assert pins.reveal_pin(device=mac.device, actor=helpdesk.actor) == pin
    mac.say("Acknowledged", sent["CommandUUID"])
    actions.lock(device=mac.device, actor=helpdesk.actor)
    assert mac.say("Idle")["Command"]["PIN"] == pin
    row = Command.objects.filter(kind="DeviceLock").first()
    assert pin not in str(row.params)
    assert pin.encode() not in bytes(row.sealed_params)


def test_the_pin_is_erased_from_the_queue_when_the_command_is_done(mac, helpdesk):
    actions.lock(device=mac.device, actor=helpdesk.actor)
    sent = mac.say("Idle")
    mac.say("Acknowledged", sent["CommandUUID"])
    assert bytes(Command.objects.get(kind="DeviceLock").sealed_params) == b""


def test_check_in_asks_for_inventory_and_wakes(phone, helpdesk):
    actions.check_in(device=phone.device, actor=helpdesk.actor)
    assert phone.device.channels.get().push_due_at is not None
    assert len(phone.drain()) == 5


def test_retire_ends_with_the_acknowledgement(phone):
    retire(phone)
    assert phone.device.state == DeviceState.RETIRE_PENDING
    sent = phone.say("Idle")
    assert sent["Command"]["RequestType"] == "RemoveProfile"
    assert sent["Command"]["Identifier"] == f"muster.{phone.tenant.pk}.enrollment"
    assert phone.device.state == DeviceState.RETIRE_SENT
    assert phone.say("Acknowledged", sent["CommandUUID"]) is None
    assert phone.device.state == DeviceState.RETIRED
    assert phone.check_in(CHECK_OUT).status_code == 200
    assert phone.device.state == DeviceState.RETIRED


def test_retire_ends_with_check_out_alone(phone):
    retire(phone)
    phone.say("Idle")
    phone.check_in(CHECK_OUT)
    assert phone.device.state == DeviceState.RETIRED


def test_retire_ends_by_itself_a_day_after_it_was_sent(phone):
    retire(phone)
    phone.say("Idle")
    with time_machine.travel(clock.now() + dt.timedelta(hours=23), tick=False):
        commands.expire_due()
        assert phone.device.state == DeviceState.RETIRE_SENT
    with time_machine.travel(clock.now() + dt.timedelta(hours=25), tick=False):
        commands.expire_due()
        assert phone.device.state == DeviceState.RETIRED


def test_retire_of_a_device_that_never_comes_ends_after_a_month(phone):
    retire(phone)
    with time_machine.travel(clock.now() + dt.timedelta(days=31), tick=False):
        commands.expire_due()
        assert phone.device.state == DeviceState.RETIRED
        assert phone.send(wire.CONNECT, messages.idle()).status_code == 401


def test_a_retire_that_the_device_refuses_leaves_it_active(phone):
    retire(phone)
    sent = phone.say("Idle")
    phone.say("Error", sent["CommandUUID"], ErrorChain=ERROR)
    assert phone.device.state == DeviceState.ACTIVE
    assert "devices.command.failed" in wire.history_of(phone.device)


def test_removing_another_profile_ends_nothing(phone, helpdesk):
    commands.enqueue(
        channel=lifecycle.device_channel(phone.device),
        kind="RemoveProfile",
        actor=helpdesk.actor,
        params={"identifier": "com.example.wifi"},
    )
    sent = phone.say("Idle")
    phone.say("Acknowledged", sent["CommandUUID"])
    assert phone.device.state == DeviceState.ACTIVE


def test_retire_is_offered_again_when_the_answer_is_lost(phone):
    retire(phone)
    first = phone.say("Idle")
    assert phone.say("Idle") == first


def test_a_late_acknowledgement_after_the_end_is_no_error(phone):
    retire(phone)
    sent = phone.say("Idle")
    phone.check_in(CHECK_OUT)
    answer = phone.send(wire.CONNECT, messages.acknowledged(sent["CommandUUID"]))
    assert answer.status_code == 401
    assert phone.device.state == DeviceState.RETIRED


def test_wipe_ends_with_the_acknowledgement(phone):
    wipe(phone, preserve_data_plan=False, nonsense=1)
    assert phone.device.state == DeviceState.WIPE_PENDING
    sent = phone.say("Idle")
    assert sent["Command"] == {
        "RequestType": "EraseDevice",
        "PreserveDataPlan": False,
        "DisallowProximitySetup": False,
    }
    assert phone.device.state == DeviceState.WIPE_SENT
    phone.say("Acknowledged", sent["CommandUUID"])
    assert phone.device.state == DeviceState.WIPED


def test_a_mac_is_wiped_with_its_pin(mac):
    wipe(mac)
    command = mac.say("Idle")["Command"]
    assert len(command["PIN"]) == 6
    assert command["ObliterationBehavior"] == "Default"


def test_a_wipe_waits_for_years(phone):
    wipe(phone)
    with time_machine.travel(clock.now() + dt.timedelta(days=1000), tick=False):
        commands.expire_due()
        assert phone.device.state == DeviceState.WIPE_PENDING


def test_a_silent_device_after_a_wipe_stays_unknown(phone):
    wipe(phone)
    phone.say("Idle")
    with time_machine.travel(clock.now() + dt.timedelta(days=60), tick=False):
        commands.expire_due()
        assert phone.device.state == DeviceState.WIPE_SENT


def test_a_device_that_says_it_cannot_erase_itself_may_do_so_all_the_same(mac):
    wipe(mac)
    sent = mac.say("Idle")
    mac.say("Error", sent["CommandUUID"], ErrorChain=ERROR)
    assert mac.device.state == DeviceState.WIPE_SENT
    assert "devices.wipe.failed" in wire.history_of(mac.device)
    assert mac.say("Idle") is None
    assert mac.device.state == DeviceState.WIPE_SENT
    with time_machine.travel(clock.now() + dt.timedelta(minutes=11), tick=False):
        assert mac.say("Idle") is None
        assert mac.device.state == DeviceState.ACTIVE
        wipe(mac)
        assert mac.say("Idle")["Command"]["RequestType"] == "EraseDevice"


def test_a_wiped_device_that_still_speaks_is_noticed_and_left_alone(phone):
    wipe(phone)
    sent = phone.say("Idle")
    phone.say("Acknowledged", sent["CommandUUID"])
    assert phone.say("Idle") is None
    assert phone.update_token().status_code == 200
    assert phone.device.state == DeviceState.WIPED
    assert "apple.device.unexpected" in wire.history_of(phone.device)


def test_a_wiped_device_enrolls_again_as_a_new_entry(phone):
    wipe(phone)
    phone.say("Acknowledged", phone.say("Idle")["CommandUUID"])
    old = phone.device
    phone.get_profile()
    phone.enroll()
    old.refresh_from_db()
    assert (old.state, old.superseded_by) == (DeviceState.WIPED, phone.device)
    assert phone.device.state == DeviceState.ACTIVE


def test_an_order_that_was_taken_back_is_not_handed_out(phone):
    wipe(phone)
    lifecycle.cancel_order(device=phone.device, actor=phone.user.actor)
    assert phone.say("Idle") is None
    assert phone.device.state == DeviceState.ACTIVE
    assert Command.objects.get(kind="EraseDevice").status == CommandStatus.CANCELLED


def test_orders_overtake_waiting_inventory(phone, helpdesk):
    actions.check_in(device=phone.device, actor=helpdesk.actor)
    retire(phone)
    assert phone.say("Idle")["Command"]["RequestType"] == "RemoveProfile"


def test_a_device_that_we_know_no_commands_for_offers_no_actions(phone, helpdesk):
    Device.objects.update(platform="other")
    with pytest.raises(NotSupported):
        actions.lock(device=phone.device, actor=helpdesk.actor)


def test_an_order_that_cannot_be_built_is_refused_at_once(phone, helpdesk):
    with pytest.raises(CommandRefused):
        actions.lock(device=phone.device, actor=helpdesk.actor, message="bell \x07")
    assert not Command.objects.filter(kind="DeviceLock").exists()

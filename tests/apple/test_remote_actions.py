"""Passcode, restart, name and lost mode, from the request to the device's answer."""

from __future__ import annotations

import base64
import datetime as dt

import pytest
import time_machine

from apple.models import AppleDevice
from core import clock
from core.models import HistoryEntry
from devices import actions as registry
from devices.errors import LostTextMissing, NameMissing, NotLost, NotSupported
from devices.models import Command, Device
from devices.services import actions, closing, commands, lifecycle, lost_mode, raw, wipes
from devices.states import CommandStatus, DeviceState
from tests.apple import messages, wire
from tests.apple.wire import Mac, Phone

pytestmark = pytest.mark.django_db
ERROR = [{"ErrorCode": 12021, "ErrorDomain": "MCMDMErrorDomain", "LocalizedDescription": "no"}]
PARIS = {"Latitude": 48.8584, "Longitude": 2.2945, "HorizontalAccuracy": 12.5}
SUPERVISED_ONLY = {"restart", "shut_down", "rename", "lost_mode"}
LOST_ONLY = {"lost_mode_off", "locate", "play_sound"}


@pytest.fixture
def phone(client, tenant, person):
    phone = Phone(client, tenant, person).enroll()
    phone.drain()
    Device.objects.update(is_supervised=True)
    return phone


@pytest.fixture
def mac(client, tenant, person):
    mac = Mac(client, tenant, person).enroll()
    mac.drain()
    return mac


def understood(phone: Phone) -> frozenset[str]:
    return registry.understood_by(phone.device)


def lose(phone: Phone, actor) -> None:
    lost_mode.turn_on(device=phone.device, actor=actor, message="Lost. Call us.")
    sent = phone.say("Idle")
    assert sent["Command"] == {"RequestType": "EnableLostMode", "Message": "Lost. Call us."}
    phone.say("Acknowledged", sent["CommandUUID"])


def tell(phone: Phone, actor, **place) -> None:
    lost_mode.locate(device=phone.device, actor=actor)
    sent = phone.say("Idle")
    phone.say("Acknowledged", sent["CommandUUID"], **(place or PARIS))


def test_each_device_is_offered_what_it_can_do(phone, mac):
    assert understood(phone) >= SUPERVISED_ONLY | {"clear_passcode"}
    assert not understood(phone) & LOST_ONLY
    assert understood(mac) >= {"restart", "shut_down", "rename"}
    assert not understood(mac) & ({"clear_passcode", "lost_mode"} | LOST_ONLY)


@pytest.mark.parametrize("is_supervised", [False, None])
def test_a_phone_that_is_not_known_to_be_supervised_is_offered_less(phone, is_supervised):
    Device.objects.update(is_supervised=is_supervised)
    assert not understood(phone) & SUPERVISED_ONLY
    assert "clear_passcode" in understood(phone)


@pytest.mark.parametrize("run", [actions.restart, actions.shut_down, lost_mode.locate])
def test_what_is_not_offered_is_refused(phone, helpdesk, run):
    Device.objects.update(is_supervised=False)
    with pytest.raises(NotSupported):
        run(device=phone.device, actor=helpdesk.actor)
    assert not Command.objects.open().exists()


def test_a_passcode_is_removed_with_the_token_that_the_phone_gave(phone, helpdesk):
    actions.clear_passcode(device=phone.device, actor=helpdesk.actor, reason="forgotten")
    row = Command.objects.get(kind="ClearPasscode")
    token = messages.token_update()["UnlockToken"]
    assert bytes(row.sealed_params) == b""
    sent = phone.say("Idle")
    assert sent["Command"] == {"RequestType": "ClearPasscode", "UnlockToken": token}
    phone.say("Acknowledged", sent["CommandUUID"])
    told = wire.history_of(phone.device)
    assert told[-2:] == ["devices.clear_passcode.requested", "devices.clear_passcode.confirmed"]
    for text in (base64.b64encode(token).decode(), "unlock unlock"):
        assert text not in str(list(HistoryEntry.objects.values_list("data", flat=True)))
        row.refresh_from_db()
        assert text not in raw.show(command=row).request


def test_a_token_that_came_while_the_command_waited_is_the_one_that_is_sent(phone, helpdesk):
    actions.clear_passcode(device=phone.device, actor=helpdesk.actor, reason="forgotten")
    phone.update_token(Token=b"newer", UnlockToken=b"the new one")
    assert phone.say("Idle")["Command"]["UnlockToken"] == b"the new one"


def test_without_a_token_there_is_no_way(phone, helpdesk):
    AppleDevice.objects.update(sealed_unlock_token=b"")
    with pytest.raises(NotSupported):
        actions.clear_passcode(device=phone.device, actor=helpdesk.actor, reason="forgotten")


def test_a_token_that_is_gone_when_its_turn_comes_fails_the_command(phone, helpdesk):
    actions.clear_passcode(device=phone.device, actor=helpdesk.actor, reason="forgotten")
    AppleDevice.objects.update(sealed_unlock_token=b"")
    assert phone.say("Idle") is None
    row = Command.objects.get(kind="ClearPasscode")
    assert row.status == CommandStatus.ERROR
    assert "never gave a token" in row.error[0]["description"]


def test_the_token_of_another_phone_is_never_sent(phone, client, tenant, helpdesk):
    other = wire.other_phone(client, tenant).enroll()
    other.drain()
    other.update_token(UnlockToken=b"of the other")
    actions.clear_passcode(device=phone.device, actor=helpdesk.actor, reason="forgotten")
    assert phone.say("Idle")["Command"]["UnlockToken"] != b"of the other"


@pytest.mark.parametrize(
    ("run", "kind", "done"),
    [
        (actions.restart, "RestartDevice", "devices.restart.confirmed"),
        (actions.shut_down, "ShutDownDevice", "devices.shut_down.confirmed"),
    ],
)
def test_restart_and_shut_down_are_told_when_done(phone, helpdesk, run, kind, done):
    run(device=phone.device, actor=helpdesk.actor, reason="stuck")
    sent = phone.say("Idle")
    assert sent["Command"] == {"RequestType": kind}
    phone.say("Acknowledged", sent["CommandUUID"])
    assert wire.history_of(phone.device)[-1] == done


def test_a_mac_asks_the_person_before_it_restarts(mac, helpdesk):
    actions.restart(device=mac.device, actor=helpdesk.actor, notify_user=True)
    assert mac.say("Idle")["Command"]["NotifyUser"] is True


def test_a_second_restart_joins_the_one_that_waits(phone, helpdesk):
    first = actions.restart(device=phone.device, actor=helpdesk.actor)
    assert actions.restart(device=phone.device, actor=helpdesk.actor) == first


def test_a_refusal_is_told(phone, helpdesk):
    actions.restart(device=phone.device, actor=helpdesk.actor)
    sent = phone.say("Idle")
    phone.say("Error", sent["CommandUUID"], ErrorChain=ERROR)
    assert wire.history_of(phone.device)[-1] == "devices.command.failed"


def test_a_name_holds_when_the_device_has_taken_it(phone, helpdesk):
    before = phone.device.name
    actions.rename(device=phone.device, actor=helpdesk.actor, name="  Front   desk ")
    assert phone.device.name == before
    sent = phone.say("Idle")
    wanted = [{"Item": "DeviceName", "DeviceName": "Front desk"}]
    assert sent["Command"]["Settings"] == wanted
    phone.say("Acknowledged", sent["CommandUUID"], Settings=[{"Status": "Acknowledged"}])
    assert phone.device.name == "Front desk"


def test_a_name_that_was_refused_changes_nothing_though_it_was_acknowledged(phone, helpdesk):
    before = phone.device.name
    actions.rename(device=phone.device, actor=helpdesk.actor, name="Front desk")
    sent = phone.say("Idle")
    answer = [{"Status": "Error", "ErrorChain": ERROR}]
    phone.say("Acknowledged", sent["CommandUUID"], Settings=answer)
    row = Command.objects.get(kind="Settings")
    assert (row.status, row.error[0]["code"]) == (CommandStatus.ERROR, 12021)
    assert phone.device.name == before
    assert "devices.command.failed" in wire.history_of(phone.device)


def test_a_name_of_nothing_is_none(phone, helpdesk):
    with pytest.raises(NameMissing):
        actions.rename(device=phone.device, actor=helpdesk.actor, name=" \u00a0 ")


def test_lost_mode_needs_a_text_for_the_finder(phone, helpdesk):
    with pytest.raises(LostTextMissing):
        lost_mode.turn_on(device=phone.device, actor=helpdesk.actor, message=" ", footnote="Acme")


def test_a_lost_device_can_be_found_and_given_back(phone, helpdesk, admin):
    lose(phone, helpdesk.actor)
    assert phone.device.lost_since is not None
    assert phone.device.lost_by == helpdesk.actor.as_dict()
    assert understood(phone) >= LOST_ONLY
    assert "lost_mode" not in understood(phone)
    tell(phone, admin.actor)
    place = lost_mode.reveal_place(device=phone.device, actor=admin.actor)
    assert (place.latitude, place.longitude, place.accuracy) == (48.8584, 2.2945, 12.5)
    lost_mode.play_sound(device=phone.device, actor=helpdesk.actor)
    assert phone.drain() == ["PlayLostModeSound"]
    lost_mode.turn_off(device=phone.device, actor=helpdesk.actor)
    assert phone.drain() == ["DisableLostMode"]
    device = phone.device
    assert (device.lost_since, device.lost_by, device.located_at) == (None, {}, None)
    assert bytes(device.sealed_location) == b""
    with pytest.raises(NotLost):
        lost_mode.reveal_place(device=device, actor=admin.actor)


def test_each_look_at_a_place_is_written_and_the_place_is_nowhere_else(phone, admin):
    lose(phone, admin.actor)
    tell(phone, admin.actor)
    for _ in range(2):
        lost_mode.reveal_place(device=phone.device, actor=admin.actor)
    assert wire.history_of(phone.device).count("devices.location.viewed") == 2
    row = Command.objects.get(kind="DeviceLocation")
    assert "48.8" not in str([row.result, row.params, raw.show(command=row)])
    assert "48.8" not in str(list(HistoryEntry.objects.values_list("data", flat=True)))
    assert b"48.8" not in bytes(phone.device.sealed_location)


def test_before_the_first_answer_nothing_is_known_and_nothing_written(phone, admin):
    lose(phone, admin.actor)
    assert lost_mode.reveal_place(device=phone.device, actor=admin.actor) is None
    assert "devices.location.viewed" not in wire.history_of(phone.device)


@pytest.mark.parametrize("place", [{"Latitude": 500.0, "Longitude": 1.0}, {"Latitude": "x"}])
def test_a_place_that_is_none_is_not_kept(phone, admin, place):
    lose(phone, admin.actor)
    tell(phone, admin.actor, **place)
    assert phone.device.located_at is None


def test_an_answer_after_the_end_of_lost_mode_is_dropped(phone, admin):
    lose(phone, admin.actor)
    lost_mode.locate(device=phone.device, actor=admin.actor)
    sent = phone.say("Idle")
    lost_mode.end(device=phone.device, actor=admin.actor)
    phone.say("Acknowledged", sent["CommandUUID"], **PARIS)
    assert phone.device.located_at is None
    assert bytes(phone.device.sealed_location) == b""


@pytest.mark.parametrize(("told", "is_lost"), [(False, False), (True, True)])
def test_what_the_device_says_of_lost_mode_outweighs_what_we_remember(phone, admin, told, is_lost):
    lose(phone, admin.actor)
    tell(phone, admin.actor)
    actions.check_in(device=phone.device, actor=admin.actor)
    phone.drain({"QueryResponses": {"IsMDMLostModeEnabled": told}})
    assert (phone.device.lost_since is not None) is is_lost
    assert bool(phone.device.sealed_location) is is_lost


def test_lost_mode_that_another_server_turned_on_is_noticed(phone, admin):
    actions.check_in(device=phone.device, actor=admin.actor)
    phone.drain({"QueryResponses": {"IsMDMLostModeEnabled": True}})
    assert phone.device.lost_since is not None
    assert phone.device.lost_by == {}


@pytest.mark.parametrize("end", ["unenroll", "new_enrollment", "close"])
def test_the_place_is_forgotten_when_the_entry_ends(phone, admin, end):
    lose(phone, admin.actor)
    tell(phone, admin.actor)
    entry = phone.device
    if end == "unenroll":
        phone.check_in({"MessageType": "CheckOut", "Topic": messages.TOPIC})
    elif end == "close":
        lifecycle.request_retire(device=entry, actor=admin.actor)
        closing.close_order(
            device=entry, actor=admin.actor, confirmation=entry.label, reason="gone"
        )
    else:
        phone.get_profile()
        phone.enroll()
    entry.refresh_from_db()
    assert (entry.lost_since, entry.located_at) == (None, None)
    assert bytes(entry.sealed_location) == b""


def close(phone: Phone, actor) -> None:
    device = phone.device
    closing.close_order(device=device, actor=actor, confirmation=device.label, reason="sunk")


@pytest.mark.parametrize("order", ["retire", "wipe"])
@pytest.mark.parametrize("is_sent", [False, True])
def test_a_late_answer_never_brings_a_closed_entry_back(phone, owner, order, is_sent):
    if order == "retire":
        lifecycle.request_retire(device=phone.device, actor=owner.actor)
    else:
        device = phone.device
        wipes.order(device=device, actor=owner.actor, confirmation=device.label, reason="lost")
    command = Command.objects.open().get()
    uuid = phone.say("Idle")["CommandUUID"] if is_sent else command.wire_uuid
    close(phone, owner.actor)
    ended = DeviceState.RETIRED if order == "retire" else DeviceState.WIPED
    assert phone.device.state == ended
    command.refresh_from_db()
    assert command.status == CommandStatus.CANCELLED
    with time_machine.travel(clock.now() + dt.timedelta(days=400), tick=False):
        for message in (
            messages.acknowledged(uuid),
            {"Status": "Error", "CommandUUID": uuid, "ErrorChain": ERROR},
            messages.idle(),
        ):
            answer = phone.send(wire.CONNECT, message)
            # A retired one is told to leave; one that should be empty is given nothing.
            assert (answer.status_code, answer.content) == (401 if order == "retire" else 200, b"")
        commands.expire_due()
    assert phone.device.state == ended
    command.refresh_from_db()
    assert command.status == CommandStatus.CANCELLED
    told = "apple.management.withdrawn" if order == "retire" else "apple.device.unexpected"
    assert told in wire.history_of(phone.device)


def test_what_was_sent_and_answered_can_be_read_without_its_secrets(phone, mac, helpdesk):
    actions.lock(device=mac.device, actor=helpdesk.actor, message="Hello")
    sent = mac.say("Idle")
    mac.say("Acknowledged", sent["CommandUUID"], MessageResult="Success", PushMagic="xyz")
    told = raw.show(command=Command.objects.get(kind="DeviceLock"))
    assert sent["Command"]["PIN"] not in told.request
    assert "000000" not in told.request
    assert "Hello" in told.request
    assert "MessageResult" in told.answer
    assert "xyz" not in told.answer


def test_binary_answers_and_odd_numbers_are_left_out(phone, helpdesk):
    actions.lock(device=phone.device, actor=helpdesk.actor)
    sent = phone.say("Idle")
    phone.say("Acknowledged", sent["CommandUUID"], Strange=b"secret bytes", Deep=[{"PIN": "1"}])
    told = raw.show(command=Command.objects.get(kind="DeviceLock")).answer
    assert "c2VjcmV0" not in told
    assert told.count("(not shown)") == 2


def test_routine_answers_are_not_kept_twice(phone, helpdesk):
    actions.check_in(device=phone.device, actor=helpdesk.actor)
    phone.drain({"QueryResponses": {"DeviceName": "X"}})
    row = Command.objects.filter(kind="DeviceInformation", status="acknowledged").first()
    assert raw.show(command=row).answer == ""
    assert "Queries" in raw.show(command=row).request


def test_numbers_that_cannot_be_written_again_harm_nothing(phone, helpdesk):
    from apple.services import raw as texts

    row = actions.lock(device=phone.device, actor=helpdesk.actor)
    assert texts.pack(row, {"Huge": 10**30}) == b""
    assert texts.pack(row, {"Long": "x" * 300_000}) == b""

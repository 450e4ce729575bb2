"""The command channel: results in, next command out."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
import time_machine

from apple.services import inventory, lines
from core import clock
from core.actors import Actor
from core.models import HistoryEntry, StoredKey
from devices.models import Channel, Command, Device, DeviceContact, Identity, InventorySection
from devices.services import commands, lifecycle
from devices.states import CommandStatus
from tests.apple import messages, wire
from tests.apple.wire import Mac, Phone

pytestmark = pytest.mark.django_db
SYSTEM = Actor.system("tests")


@pytest.fixture
def phone(client, tenant, person):
    """An enrolled phone whose queue is empty."""
    phone = Phone(client, tenant, person).enroll()
    phone.drain()
    return phone


def queue(phone: Phone, kind: str, **fields) -> Command:
    channel = lifecycle.device_channel(phone.device)
    return commands.enqueue(channel=channel, kind=kind, actor=SYSTEM, **fields)


def status_of(command: Command) -> str:
    return Command.objects.get(pk=command.pk).status


def test_nothing_to_do_is_no_bytes_at_all(phone):
    answer = phone.send(wire.CONNECT, messages.idle())
    assert (answer.status_code, answer.content) == (200, b"")


def test_commands_come_one_by_one_in_order(phone):
    queue(phone, "SecurityInfo")
    queue(phone, "ProfileList")
    first = phone.say("Idle")
    assert first["Command"] == {"RequestType": "SecurityInfo"}
    second = phone.say("Acknowledged", first["CommandUUID"], SecurityInfo={})
    assert second["Command"] == {"RequestType": "ProfileList"}
    assert phone.say("Acknowledged", second["CommandUUID"], ProfileList=[]) is None


def test_a_lost_answer_brings_the_same_command_again(phone):
    queue(phone, "SecurityInfo")
    first = phone.say("Idle")
    again = phone.say("Idle")
    assert again == first


def test_a_command_that_is_never_answered_does_not_block_the_others(phone):
    stuck = queue(phone, "SecurityInfo")
    queue(phone, "ProfileList")
    offered = [phone.say("Idle")["Command"]["RequestType"] for _ in range(13)]
    assert offered[0] == "SecurityInfo"
    assert offered[-1] == "ProfileList"
    assert status_of(stuck) == CommandStatus.EXPIRED


def test_a_duplicate_result_changes_nothing(phone):
    command = queue(phone, "DeviceInformation")
    sent = phone.say("Idle")["CommandUUID"]
    phone.say("Acknowledged", sent, QueryResponses={"DeviceName": "first"})
    phone.say("Acknowledged", sent, QueryResponses={"DeviceName": "second"})
    phone.say("Error", sent, ErrorChain=[])
    assert phone.device.name == "first"
    assert status_of(command) == CommandStatus.ACKNOWLEDGED


@pytest.mark.parametrize(
    "command_uuid", [str(uuid.uuid4()), "not-a-uuid", "", "ffffffff-ffff-ffff-ffff-ffffffffffff"]
)
def test_a_result_for_an_unknown_command_is_accepted_and_ignored(phone, command_uuid):
    queue(phone, "SecurityInfo")
    answer = phone.say("Acknowledged", command_uuid)
    assert answer["Command"]["RequestType"] == "SecurityInfo"


def test_a_result_for_a_cancelled_command_is_accepted_and_ignored(phone):
    command = queue(phone, "DeviceInformation")
    sent = phone.say("Idle")["CommandUUID"]
    commands.cancel_all(phone.device, actor=SYSTEM)
    assert phone.say("Acknowledged", sent, QueryResponses={"DeviceName": "late"}) is None
    assert status_of(command) == CommandStatus.CANCELLED
    assert phone.device.name != "late"


def test_a_result_for_another_devices_command_is_refused_and_noted(phone, client, tenant):
    other = wire.other_phone(client, tenant).enroll()
    foreign = queue(phone, "DeviceInformation")
    phone.say("Idle")
    answer = other.send(wire.CONNECT, messages.acknowledged(foreign.wire_uuid, UDID=other.udid))
    assert answer.status_code == 400
    assert status_of(foreign) == CommandStatus.SENT
    assert "apple.result.refused" in wire.history_of(other.device)


def test_a_result_from_before_a_new_enrollment_is_accepted_and_ignored(phone):
    old = queue(phone, "DeviceInformation")
    phone.say("Idle")
    phone.get_profile()
    phone.enroll()
    answer = phone.send(wire.CONNECT, messages.acknowledged(old.wire_uuid))
    assert answer.status_code == 200
    assert status_of(old) == CommandStatus.CANCELLED


def test_an_error_ends_the_command_and_is_kept(phone):
    command = queue(phone, "SecurityInfo")
    sent = phone.say("Idle")["CommandUUID"]
    chain = [{"ErrorCode": 12021, "ErrorDomain": "MCMDMErrorDomain", "LocalizedDescription": "no"}]
    assert phone.say("Error", sent, ErrorChain=chain) is None
    command.refresh_from_db()
    assert command.status == CommandStatus.ERROR
    assert command.error == [{"domain": "MCMDMErrorDomain", "code": 12021, "description": "no"}]
    assert "devices.command.failed" in wire.history_of(phone.device)


def test_a_command_that_the_device_cannot_read_ends_too(phone):
    command = queue(phone, "SecurityInfo")
    sent = phone.say("Idle")["CommandUUID"]
    assert phone.say("CommandFormatError", sent) is None
    assert status_of(command) == CommandStatus.ERROR


def test_not_now_skips_ahead_and_comes_back_at_the_next_idle(phone):
    busy = queue(phone, "SecurityInfo")
    queue(phone, "ProfileList")
    first = phone.say("Idle")
    second = phone.say("NotNow", first["CommandUUID"])
    assert second["Command"]["RequestType"] == "ProfileList"
    assert phone.say("Acknowledged", second["CommandUUID"], ProfileList=[]) is None
    assert status_of(busy) == CommandStatus.NOT_NOW
    again = phone.say("Idle")
    assert again["CommandUUID"] == first["CommandUUID"]


def test_not_now_many_times_is_no_failure_and_no_loop(phone):
    busy = queue(phone, "SecurityInfo")
    for _ in range(30):
        sent = phone.say("Idle")
        assert phone.say("NotNow", sent["CommandUUID"]) is None
    busy.refresh_from_db()
    assert (busy.status, busy.not_now_count) == (CommandStatus.NOT_NOW, 30)
    sent = phone.say("Idle")
    phone.say("Acknowledged", sent["CommandUUID"], SecurityInfo={})
    assert status_of(busy) == CommandStatus.ACKNOWLEDGED


@pytest.mark.parametrize(("times", "delay"), [(1, 15 * 60), (2, 3600), (3, 86400), (9, 86400)])
def test_a_busy_device_is_pushed_again_ever_more_rarely(phone, times, delay):
    queue(phone, "SecurityInfo")
    for _ in range(times):
        phone.say("NotNow", phone.say("Idle")["CommandUUID"])
    due = phone.device.channels.get().push_due_at - clock.now()
    assert delay - 5 < due.total_seconds() <= delay


def test_an_empty_queue_ends_the_pushing(phone):
    Channel.objects.update(push_due_at=clock.now(), push_attempts=3)
    phone.say("Idle")
    channel = phone.device.channels.get()
    assert (channel.push_due_at, channel.push_attempts) == (None, 0)


def test_work_that_arrives_meanwhile_keeps_its_push(phone):
    channel = phone.device.channels.get()
    Channel.objects.update(push_due_at=clock.now() - dt.timedelta(minutes=1))
    line = lines.find(phone.device, messages_enrollment(phone))
    queue(phone, "SecurityInfo")
    lines.rest(line)
    channel.refresh_from_db()
    assert channel.push_due_at is not None


def messages_enrollment(phone: Phone):
    from apple.protocol.enrollment import EnrollmentId

    return EnrollmentId(phone.udid)


def test_a_command_past_its_deadline_is_not_handed_out(phone):
    command = queue(phone, "SecurityInfo", deadline=dt.timedelta(hours=1))
    with time_machine.travel(clock.now() + dt.timedelta(hours=2), tick=False):
        assert phone.say("Idle") is None
    assert status_of(command) == CommandStatus.EXPIRED


def test_a_command_of_an_older_epoch_is_not_handed_out(phone):
    command = queue(phone, "SecurityInfo")
    Command.objects.filter(pk=command.pk).update(epoch=0)
    assert phone.say("Idle") is None
    assert status_of(command) == CommandStatus.CANCELLED


def test_a_command_that_this_system_does_not_know_fails_here_and_blocks_nothing(phone):
    impossible = queue(phone, "InstalledApplicationList")
    queue(phone, "SecurityInfo")
    Device.objects.filter(pk=phone.device.pk).update(os_version="4.2")
    assert phone.say("Idle")["Command"]["RequestType"] == "SecurityInfo"
    impossible.refresh_from_db()
    assert impossible.status == CommandStatus.ERROR
    assert "version" in impossible.error[0]["description"]


def test_an_order_goes_before_what_was_queued_earlier(phone):
    queue(phone, "ProfileList", rank=9)
    queue(phone, "DeviceLock", rank=1)
    assert phone.say("Idle")["Command"]["RequestType"] == "DeviceLock"


def test_the_uuid_goes_out_in_capitals_and_comes_back_in_any_case(phone):
    command = queue(phone, "SecurityInfo")
    sent = phone.say("Idle")["CommandUUID"]
    assert sent == str(command.pk).upper()
    phone.say("Acknowledged", sent.lower(), SecurityInfo={})
    assert status_of(command) == CommandStatus.ACKNOWLEDGED


def test_a_user_of_a_mac_has_a_queue_of_his_own(client, tenant, person):
    mac = Mac(client, tenant, person).enroll()
    mac.drain()
    mac.update_user_token()
    user = mac.device.channels.get(user_key=messages.USER_ID)
    commands.enqueue(channel=user, kind="ProfileList", actor=SYSTEM)
    assert mac.say("Idle") is None
    sent = mac.say("Idle", UserID=messages.USER_ID, UserShortName="ada")
    assert sent["Command"]["RequestType"] == "ProfileList"
    profile = {"PayloadIdentifier": "of.the.user", "PayloadUUID": "X"}
    mac.say("Acknowledged", sent["CommandUUID"], ProfileList=[profile], UserID=messages.USER_ID)
    section = InventorySection.objects.filter(device=mac.device, kind="profiles").first()
    assert section is None or profile["PayloadIdentifier"] not in str(section.data)


def test_a_user_that_never_sent_a_token_gets_a_channel(client, tenant, person):
    mac = Mac(client, tenant, person).enroll()
    assert mac.say("Idle", UserID="someone", UserShortName="bob") is None
    assert mac.device.channels.get(user_key="someone").state == "enrolling"


def test_an_idle_poll_costs_one_query(phone, django_assert_num_queries):
    with django_assert_num_queries(1):
        phone.send(wire.CONNECT, messages.idle())


def test_the_last_contact_is_written_once_a_minute(phone, django_assert_num_queries):
    long_ago = clock.now() - dt.timedelta(minutes=5)
    DeviceContact.objects.update(last_seen_at=long_ago)
    with django_assert_num_queries(2):
        phone.send(wire.CONNECT, messages.idle())
    seen = DeviceContact.objects.get(device=phone.device).last_seen_at
    assert clock.now() - seen < dt.timedelta(minutes=1)
    with django_assert_num_queries(1):
        phone.send(wire.CONNECT, messages.idle())


def test_a_poll_does_not_grow_with_the_past(phone, django_assert_num_queries):
    for _ in range(30):
        queue(phone, "SecurityInfo")
    phone.drain({"SecurityInfo": {}})
    with django_assert_num_queries(1):
        phone.send(wire.CONNECT, messages.idle())


def test_a_round_trip_is_cheap(phone, django_assert_max_num_queries):
    queue(phone, "SecurityInfo")
    queue(phone, "ProfileList")
    sent = phone.say("Idle")["CommandUUID"]
    with django_assert_max_num_queries(14):
        phone.say("Acknowledged", sent, SecurityInfo={})


def test_what_a_device_tells_is_kept_in_sections_and_columns(phone):
    inventory.request(device=phone.device, actor=SYSTEM)
    phone.drain(
        {
            "QueryResponses": {"DeviceName": "Blue", "OSVersion": "18.2", "ModelName": "iPhone"},
            "SecurityInfo": {"PasscodePresent": True},
            "ProfileList": [],
            "CertificateList": [],
            "InstalledApplicationList": [{"Identifier": "com.a", "Name": "A"}],
        }
    )
    device = phone.device
    assert (device.name, device.os_version, device.model_name) == ("Blue", "18.2", "iPhone")
    sections = {row.kind: row.data for row in device.inventory.all()}
    assert set(sections) == {"device", "security", "profiles", "certificates", "applications"}
    assert sections["applications"]["items"] == [{"Identifier": "com.a", "Name": "A"}]


def test_a_changed_system_version_is_told_in_the_history(phone):
    Device.objects.filter(pk=phone.device.pk).update(os_version="17.0")
    queue(phone, "DeviceInformation")
    sent = phone.say("Idle")["CommandUUID"]
    phone.say("Acknowledged", sent, QueryResponses={"OSVersion": "18.0", "DeviceName": "x" * 900})
    entry = HistoryEntry.objects.about(phone.device).get(action="devices.device.changed")
    assert entry.data == {"os_version": ["17.0", "18.0"]}


def test_due_inventories_are_asked_for_once(phone):
    Device.objects.update(inventory_due_at=clock.now() - dt.timedelta(minutes=1))
    assert inventory.request_due() == 1
    assert inventory.request_due() == 0
    assert len(phone.drain()) == 5
    assert phone.device.inventory_due_at > clock.now() + dt.timedelta(hours=20)


def test_a_device_that_is_away_is_not_asked_twice(phone):
    for _ in range(3):
        Device.objects.update(inventory_due_at=clock.now() - dt.timedelta(minutes=1))
        inventory.request_due()
    assert phone.device.commands.open().count() == 5


def test_an_expired_certificate_is_still_served_and_noted(phone, caplog):
    Identity.objects.update(not_after=clock.now() - dt.timedelta(days=1))
    queue(phone, "SecurityInfo")
    assert phone.say("Idle")["Command"]["RequestType"] == "SecurityInfo"
    assert "apple.identity.expired" in caplog.text


def test_certificates_of_a_retired_authority_are_refused(phone):
    StoredKey.objects.update(retired_at=clock.now())
    assert phone.send(wire.CONNECT, messages.idle()).status_code == 400

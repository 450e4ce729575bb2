"""What happens to enrolled devices: orders, answers, renewals, leaving and coming back."""

from __future__ import annotations

import pytest

from simulator.errors import ServerRefused
from tests.apple import schema
from tests.e2e.test_enrollment import INVENTORY
from tests.fakes.waiting import until


def statuses(field, device, kind):
    return [status for name, status in field.entry(device)["commands"] if name == kind]


def test_an_iphone_is_locked(field):
    iphone = field.shared()
    field.order(iphone, "lock", message="Please call us", phone="+33 1 23 45 67 89")
    assert iphone.poll() == 1
    assert statuses(field, iphone, "DeviceLock")[-1] == "acknowledged"
    assert field.ledger.commands_received(iphone.udid)[-1]["Message"] == "Please call us"


def test_a_mac_is_locked_with_the_pin_that_the_help_desk_can_reveal(field):
    mac = field.shared("mac")
    field.order(mac, "lock")
    mac.poll()
    assert mac.is_locked
    assert mac.unlock(field.administrator.reveal_pin(mac.udid))


@pytest.mark.parametrize("kind", ["iphone", "mac"])
def test_a_retired_device_drops_its_management(field, kind):
    device = field.enrolled(kind)
    field.order(device, "retire", reason="leaves the company")
    assert field.state(device) == "retire_pending"
    device.poll()
    assert not device.is_managed
    entry = field.entry(device)
    assert entry["state"] == "retired"
    assert "devices.device.retired" in entry["history"]
    assert field.ledger.steps(device.udid)[-1] == "checked_out"


@pytest.mark.parametrize("kind", ["iphone", "mac"])
def test_a_wiped_device_is_erased(field, kind):
    device = field.enrolled(kind)
    field.order(device, "wipe")
    device.poll()
    assert device.is_erased
    assert field.state(device) == "wiped"


def test_a_cancelled_wipe_never_arrives(field):
    device = field.shared()
    field.order(device, "wipe")
    field.order(device, "cancel")
    assert device.poll() == 0
    assert field.state(device) == "active"
    assert not device.is_erased
    erased = [e.udid for e in field.ledger.destructive() if e.request_type == "EraseDevice"]
    assert device.udid not in erased


def test_not_now_is_tried_again_and_blocks_nothing(field):
    device = field.shared("mac")
    device.script.add("SecurityInfo", "not_now")
    field.order(device, "check_in")
    device.poll()
    last = dict(field.entry(device)["commands"])
    assert last["SecurityInfo"] == "not_now"
    assert last["InstalledApplicationList"] == "acknowledged"
    until(lambda: device.poll() and statuses(field, device, "SecurityInfo")[-1] == "acknowledged",
          seconds=40)  # fmt: skip


def test_an_error_is_kept_and_blocks_nothing(field):
    device = field.shared()
    device.script.add("ProfileList", "error", code=12011)
    field.order(device, "check_in")
    field.settle(device)
    last = dict(field.entry(device)["commands"])
    assert last["ProfileList"] == "error"
    assert last["InstalledApplicationList"] == "acknowledged"


def test_a_connection_lost_after_a_command_gets_the_same_command_again(field):
    device = field.shared()
    device.script.add("DeviceLock", "hang_up")
    field.order(device, "lock")
    device.poll()
    assert statuses(field, device, "DeviceLock")[-1] == "sent"
    assert device.poll() == 1
    assert statuses(field, device, "DeviceLock")[-1] == "acknowledged"


def test_a_result_sent_twice_counts_once(field):
    device = field.shared()
    device.script.add("DeviceLock", "repeat")
    field.order(device, "lock")
    assert device.poll() == 1
    assert statuses(field, device, "DeviceLock")[-1] == "acknowledged"


def test_a_renewed_identity_goes_on_without_a_check_in(field):
    device = field.enrolled("mac")
    old = device.client.identity
    device.renew_identity()
    assert device.poll() == 0
    field.order(device, "check_in")
    assert device.poll() >= len(INVENTORY)
    device.client.identity = old
    with pytest.raises(ServerRefused):
        device.poll()
    assert len(field.entries(device)) == 1


def test_a_device_reset_by_its_person_comes_back_as_a_new_entry(field):
    person, invitation = field.newcomer()
    device = field.device()
    person.accept(device, invitation)
    device.erase()
    person.enroll(device, invitation.link)
    field.settle(device)
    new, old = field.entries(device)
    assert (new["state"], new["epoch"], new["is_archived"]) == ("active", 2, False)
    assert (old["state"], old["epoch"], old["is_archived"]) == ("reset", 1, True)


def test_a_pending_wipe_does_not_reach_the_new_enrollment(field):
    person, invitation = field.newcomer()
    device = field.device()
    person.accept(device, invitation)
    field.settle(device)
    field.order(device, "wipe")
    device.erase()
    person.enroll(device, invitation.link)
    field.settle(device)
    assert not device.is_erased
    assert field.state(device) == "active"


def test_another_person_takes_a_device_over_with_an_invitation_of_their_own(field):
    device = field.enrolled()
    device.erase()
    person, invitation = field.newcomer()
    person.accept(device, invitation)
    new, old = field.entries(device)
    assert new["email"] == person.email != old["email"]
    assert "apple.device.changed_hands" in new["history"]


def test_a_person_who_removes_management_is_unenrolled(field):
    device = field.enrolled()
    device.leave()
    assert field.state(device) == "unenrolled"


def test_a_device_that_was_let_go_is_told_so_at_its_next_contact(field):
    device = field.enrolled()
    field.order(device, "retire")
    kept = (device.managed_by, device.client.identity, device.channels)
    device.poll()
    device.manage_with(*kept[:2])
    device.channels = kept[2]
    device.poll()
    assert field.ledger.steps(device.udid)[-1] == "unenrolled_by_server"


def test_new_push_tokens_are_used_from_then_on(field):
    device = field.enrolled("mac")
    old = device.device_channel.token
    device.rotate_tokens()
    before = len(field.apns.pushes_to(old))
    field.order(device, "check_in")
    until(lambda: field.apns.pushes_to(device.device_channel.token), seconds=20)
    assert len(field.apns.pushes_to(old)) == before


@pytest.mark.schema
@pytest.mark.parametrize(("kind", "system"), [("iphone", "iOS"), ("ipad", "iOS"), ("mac", "macOS")])
def test_every_command_follows_apples_schema(field, kind, system):
    device = field.enrolled(kind)
    field.order(device, "lock", message="Lost?", phone="+33 1 23 45 67 89")
    device.poll()
    device.is_locked = False
    field.order(device, "wipe")
    device.poll()
    received = field.ledger.commands_received(device.udid)
    assert {command["RequestType"] for command in received} >= {"DeviceLock", "EraseDevice"}
    version = tuple(map(int, device.facts.os_version.split(".")))
    for command in received:
        assert schema.command_problems(command, system=system, version=version) == []


def test_a_mac_escrows_and_fetches_its_bootstrap_token(field):
    mac = field.shared("mac")
    assert mac.fetch_bootstrap_token() == mac.bootstrap_token
    mac.escrow_bootstrap_token(b"")
    assert mac.fetch_bootstrap_token() == b""


def test_a_visitor_of_a_mac_is_not_managed(field):
    mac = field.shared("mac")
    with pytest.raises(ServerRefused) as refused:
        mac.user_authenticate("7E5D4F3C-0000-4000-8000-000000000001", "visitor")
    assert refused.value.status == 410

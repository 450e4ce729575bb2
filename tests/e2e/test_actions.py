"""Each action on one device, against a simulated device that obeys or refuses like a real one.

No wipes: those of the shared server are counted by its limits, see `test_life`.
"""

from __future__ import annotations

import pytest

from simulator.errors import ServerRefused
from tests.e2e.test_life import statuses


@pytest.fixture(scope="module")
def company_phones() -> dict:
    """Supervised phones that tests share and leave as they found them."""
    return {}


@pytest.fixture
def company_phone(field, company_phones):
    if not company_phones:
        person, invitation = field.newcomer()
        phone = field.device()
        phone.is_supervised = True
        person.accept(phone, invitation)
        field.settle(phone)
        company_phones["phone"] = phone
    return company_phones["phone"]


def steps(field, device) -> list[str]:
    return field.ledger.steps(device.udid)


def test_a_forgotten_passcode_is_removed(field):
    phone = field.enrolled()
    field.order(phone, "clear_passcode", reason="forgotten")
    assert phone.poll() == 1
    assert not phone.has_passcode
    assert statuses(field, phone, "ClearPasscode") == ["acknowledged"]
    assert "devices.clear_passcode.confirmed" in field.entry(phone)["history"]


def test_a_mac_has_no_passcode_to_remove(field):
    with pytest.raises(ServerRefused):
        field.order(field.shared("mac"), "clear_passcode", reason="forgotten")


def test_a_phone_that_nobody_supervises_is_not_restarted(field):
    with pytest.raises(ServerRefused):
        field.order(field.shared(), "restart")


@pytest.mark.parametrize("kind", ["phone", "mac"])
def test_a_device_restarts(field, company_phone, kind):
    device = company_phone if kind == "phone" else field.shared("mac")
    field.order(device, "restart", notify_user=True)
    assert device.poll() == 1
    assert steps(field, device)[-1] == "restarted"
    asked = field.ledger.commands_received(device.udid)[-1].get("NotifyUser")
    assert asked is (True if kind == "mac" else None)


def test_a_device_is_off_until_somebody_switches_it_on(field, company_phone):
    field.order(company_phone, "shut_down", reason="storage")
    company_phone.poll()
    assert company_phone.is_off
    field.order(company_phone, "lock")
    assert company_phone.poll() == 0
    company_phone.switch_on()
    assert company_phone.poll() == 1


@pytest.mark.parametrize("kind", ["phone", "mac"])
def test_a_device_takes_its_new_name(field, company_phone, kind):
    device = company_phone if kind == "phone" else field.shared("mac")
    field.order(device, "rename", name=f"Front desk {kind}")
    device.poll()
    assert device.facts.device_name == f"Front desk {kind}"
    assert field.entry(device)["name"] == f"Front desk {kind}"


def test_a_name_that_is_refused_is_told_and_changes_nothing(field, company_phone):
    before = field.entry(company_phone)["name"]
    company_phone.is_supervised = False
    field.order(company_phone, "rename", name="Somebody's")
    company_phone.poll()
    company_phone.is_supervised = True
    assert statuses(field, company_phone, "Settings")[-1] == "error"
    assert field.entry(company_phone)["name"] == before


def test_a_lost_device_is_found_and_given_back(field, company_phone):
    phone = company_phone
    with pytest.raises(ServerRefused):
        field.order(phone, "locate")
    field.order(phone, "lost_mode", message="Lost. Please call.", phone="+33 1 23 45 67 89")
    phone.poll()
    assert phone.is_lost
    field.order(phone, "locate")
    field.order(phone, "play_sound")
    assert phone.poll() == 2
    place = field.administrator.reveal_location(phone.udid)
    assert (place["latitude"], place["longitude"]) == phone.place
    field.order(phone, "lost_mode_off")
    phone.poll()
    assert not phone.is_lost
    with pytest.raises(ServerRefused):
        field.administrator.reveal_location(phone.udid)
    told = field.entry(phone)["history"]
    assert told.count("devices.location.viewed") == 1
    assert told[-1] == "devices.lost_mode.ended"


def test_a_device_that_left_lost_mode_by_itself_is_noticed_at_the_next_inventory(
    field, company_phone
):
    field.order(company_phone, "lost_mode", message="Lost")
    company_phone.poll()
    company_phone.is_lost = False
    field.order(company_phone, "check_in")
    field.settle(company_phone)
    assert field.entry(company_phone)["history"][-1] == "devices.lost_mode.ended"


def test_a_supervised_phone_is_the_companys(field, company_phone):
    assert field.administrator.device(company_phone.udid)["ownership"] == "company"
    with pytest.raises(ServerRefused):
        field.order(company_phone, "set_ownership", ownership="personal")


def test_a_device_changes_hands(field):
    phone = field.enrolled()
    field.order(phone, "assign", person=None)
    assert field.entry(phone)["email"] == ""
    field.order(phone, "set_ownership", ownership="personal")
    assert field.administrator.device(phone.udid)["ownership"] == "personal"


def test_a_closed_retire_tells_the_device_to_leave_when_it_comes_back(field):
    phone = field.enrolled()
    field.order(phone, "retire")
    field.order(phone, "close_order", reason="stolen")
    phone.poll()
    assert not phone.is_managed
    assert field.state(phone) == "retired"

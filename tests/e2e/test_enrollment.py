"""An invited person enrolls a device through the mail's link and PIN, and what can go wrong."""

from __future__ import annotations

import dataclasses

import pytest

from simulator import profile, registration
from simulator.errors import (
    PageRefused,
    ProfileRejected,
    ScepRefused,
    ServerRefused,
    Unenrolled,
)
from simulator.person import Person
from tests.fakes.waiting import until
from tests.pki_material import rsa_key

INVENTORY = {
    "DeviceInformation",
    "SecurityInfo",
    "ProfileList",
    "CertificateList",
    "InstalledApplicationList",
}


@pytest.mark.parametrize("kind", ["iphone", "ipad", "mac"])
def test_from_the_mail_to_active_with_inventory(field, kind):
    person, invitation = field.newcomer()
    assert invitation.pin
    device = field.device(kind)
    browser, data = person.fetch_profile(device, invitation.link, pin=invitation.pin)
    device.install(data)
    assert browser.enrollment_status()["state"] == "active"
    field.settle(device)
    entry = field.entry(device)
    assert entry["state"] == "active"
    assert entry["email"] == person.email
    assert entry["serial"] == device.facts.serial
    assert {name for name, status in entry["commands"] if status == "acknowledged"} >= INVENTORY
    assert entry["name"] == device.facts.device_name
    assert entry["history"][0] == "devices.device.enrolling"
    assert "devices.device.active" in entry["history"]


def test_the_mail_is_understood_in_french_too(field):
    person = Person("amelie@people.test", language="fr")
    field.administrator.invite(person.email, language="fr")
    device = field.device()
    person.accept(device, field.invitation_of(person.email))
    assert field.state(device) == "active"


def test_the_push_wakes_the_device_by_itself(field):
    device = field.enrolled()
    channel = device.device_channel
    field.apns.connect_device(channel.token, channel.magic, device.poll)
    field.order(device, "check_in")
    until(lambda: field.apns.pushes_to(channel.token), seconds=20)
    until(lambda: len(field.ledger.executions(device.udid)) > len(INVENTORY), seconds=20)


def test_a_second_device_needs_the_password_and_no_pin(field):
    person, invitation = field.newcomer()
    person.accept(field.device("iphone"), invitation)
    mac = field.device("mac")
    person.enroll(mac, invitation.link)
    assert field.state(mac) == "active"


def test_the_profile_is_the_same_at_every_download_and_verifies(field):
    person, invitation = field.newcomer()
    device = field.device("mac")
    browser, data = person.fetch_profile(device, invitation.link, pin=invitation.pin)
    assert browser.download().content == data
    read = profile.read_enrollment(data, system_scope=True)
    assert len(read.signers) >= 2
    at = data.index(read.scep.challenge.encode())
    with pytest.raises(ProfileRejected):
        device.install(data[:at] + b"!" + data[at + 1 :])
    device.install(data)


def test_a_profile_works_for_one_device_only(field):
    person, invitation = field.newcomer()
    first, second = field.device(), field.device()
    _, data = person.fetch_profile(first, invitation.link, pin=invitation.pin)
    first.install(data)
    with pytest.raises(ScepRefused):
        second.install(data)
    assert field.entries(second) == []


def test_a_lost_scep_reply_can_be_asked_for_again(field):
    person, invitation = field.newcomer()
    device = field.device()
    _, data = person.fetch_profile(device, invitation.link, pin=invitation.pin)
    read = profile.read_enrollment(data)
    lost = device.obtain_identity(read, rsa_key("impatient"))
    again = device.obtain_identity(read, rsa_key("impatient"))
    assert lost.certificate == again.certificate
    with pytest.raises(ScepRefused):
        device.obtain_identity(read, rsa_key("another"))


def test_five_wrong_pins_end_the_pin(field):
    person, invitation = field.newcomer()
    wrong = invitation.pin[:-1] + str((int(invitation.pin[-1]) + 1) % 10)
    for _ in range(5):
        with pytest.raises(PageRefused) as refused:
            person.fetch_profile(field.device(), invitation.link, pin=wrong)
        assert refused.value.step == "pin"
    with pytest.raises(PageRefused):
        person.fetch_profile(field.device(), invitation.link, pin=invitation.pin)


def test_a_pin_works_once_and_the_page_offers_another(field):
    person, invitation = field.newcomer()
    device = field.device()
    link, pin = invitation.link, invitation.pin
    registration.register(person.browser_on(device), link, pin=pin, stop_at="password")
    browser = person.browser_on(device)
    with pytest.raises(PageRefused, match="used already"):
        person.enroll(device, link, pin=pin, browser=browser)
    another = field.another_pin(person, browser)
    assert another.pin not in (None, pin)
    person.enroll(device, another.link, pin=another.pin)
    assert field.state(device) == "active"


def test_a_link_that_nobody_made_leads_nowhere(field):
    person, _ = field.newcomer()
    with pytest.raises(PageRefused):
        person.enroll(field.device(), f"{field.server.url}/go/aaaaaaaaaaaaaaaaaaaaaaaaaa", pin="1")


def test_a_device_cannot_speak_for_another(field):
    victim, thief = field.shared(), field.enrolled()
    victim_before = field.entry(victim)
    thief.facts = dataclasses.replace(thief.facts, udid=victim.udid)
    for attempt in (thief.authenticate, thief.poll, thief.rotate_tokens):
        with pytest.raises(ServerRefused) as refused:
            attempt()
        assert refused.value.status == 400
    assert field.entry(victim) == victim_before
    assert victim.poll() == 0


def test_an_unfinished_enrollment_is_not_active(field):
    person, invitation = field.newcomer()
    device = field.device()
    browser, data = person.fetch_profile(device, invitation.link, pin=invitation.pin)
    device.install(data, stop_before="token_update")
    assert field.state(device) == "enrolling"
    assert browser.enrollment_status()["state"] == "checked_in"
    device.token_update(device.device_channel, first=True)
    assert browser.enrollment_status()["state"] == "active"


def test_a_disabled_link_after_revocation_turns_the_device_away(field):
    person, invitation = field.newcomer()
    device = field.device()
    _, data = person.fetch_profile(device, invitation.link, pin=invitation.pin)
    identity = device.obtain_identity(profile.read_enrollment(data))
    field.administrator.revoke(person.email)
    device.manage_with(profile.read_enrollment(data), identity)
    with pytest.raises((Unenrolled, ServerRefused)):
        device.authenticate()
    assert field.entries(device) == []

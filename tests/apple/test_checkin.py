"""Check-in after the enrollment: tokens, renewals, departures, and who may say what."""

from __future__ import annotations

import pytest

from apple.models import AppleDevice
from apple.services import tokens
from devices.models import Channel, Command, Device, DeviceContact, Identity, Platform
from devices.services import lifecycle
from devices.states import DeviceState
from enrollment.models import SessionOutcome
from tests.apple import messages, wire
from tests.apple.wire import Mac, Phone

pytestmark = pytest.mark.django_db
CHECK_OUT = {"MessageType": "CheckOut", "Topic": messages.TOPIC}
GET_BOOTSTRAP = {"MessageType": "GetBootstrapToken"}


def set_bootstrap(token: bytes) -> dict[str, object]:
    return {"MessageType": "SetBootstrapToken", "BootstrapToken": token}


@pytest.fixture
def phone(client, tenant, person):
    return Phone(client, tenant, person).enroll()


@pytest.fixture
def mac(client, tenant, person):
    return Mac(client, tenant, person).enroll()


def credentials(phone: Phone) -> tokens.PushCredentials:
    return tokens.open_push(phone.device.channels.get(user_key=""))


def test_a_new_token_replaces_the_old_one(phone):
    phone.update_token(Token=b"new", PushMagic="magic")
    assert credentials(phone) == tokens.PushCredentials(token=b"new", magic="magic")


def test_a_replayed_token_update_brings_no_old_token_back(phone):
    old = credentials(phone)
    phone.update_token(Token=b"new")
    assert phone.update_token(Token=old.token).status_code == 200
    assert credentials(phone).token == b"new"
    assert "apple.token.replayed" in wire.history_of(phone.device)


def test_a_token_that_only_changed_its_magic_is_new(phone):
    phone.update_token(PushMagic="other")
    assert credentials(phone).magic == "other"


def test_an_update_without_unlock_token_keeps_the_stored_one(phone):
    before = bytes(AppleDevice.objects.get(device=phone.device).sealed_unlock_token)
    phone.update_token(Token=b"new", UnlockToken=b"")
    assert bytes(AppleDevice.objects.get(device=phone.device).sealed_unlock_token) == before


def test_the_newest_update_has_the_token_when_two_devices_report_one(phone, client, tenant):
    other = wire.other_phone(client, tenant).enroll()
    other.update_token(Token=credentials(phone).token)
    channel = phone.device.channels.get()
    assert (bytes(channel.sealed_push), channel.push_broken_reason) == (b"", "token_moved")


def test_another_organisation_cannot_take_a_token_away(phone, client, other_tenant, stranger):
    thief = Phone(client, other_tenant, stranger).enroll()
    thief.update_token(Token=credentials(phone).token)
    assert credentials(phone) is not None


def test_a_renewed_certificate_takes_over_at_its_first_use(phone):
    old = phone.identity, phone.certificate
    device = phone.device
    phone.renew()
    assert phone.send(wire.CONNECT, messages.idle()).status_code == 200
    assert phone.device == device
    assert Identity.objects.get(pk=old[0].pk).superseded_at is not None
    phone.identity, phone.certificate = old
    assert phone.send(wire.CONNECT, messages.idle()).status_code == 400


def test_an_unused_renewal_leaves_the_old_certificate_alone(phone):
    old = phone.identity, phone.certificate
    phone.renew()
    phone.identity, phone.certificate = old
    assert phone.send(wire.CONNECT, messages.idle()).status_code == 200


def test_a_renewal_that_authenticates_again_keeps_queue_and_secrets(mac):
    mac.check_in(set_bootstrap(b"escrow"))
    queued = set(mac.device.commands.open().values_list("pk", flat=True))
    device = mac.device
    mac.renew()
    assert mac.authenticate().status_code == 200
    assert mac.update_token(Token=b"new").status_code == 200
    assert mac.device == device
    assert device.epoch == 1
    assert queued <= set(mac.device.commands.open().values_list("pk", flat=True))
    assert b"escrow" in tokens_of(mac)
    assert credentials(mac).token == b"new"


def tokens_of(mac: Mac) -> bytes:
    sealed = AppleDevice.objects.get(device=mac.device).sealed_bootstrap_token
    return tokens.open_bootstrap(mac.device.pk, bytes(sealed)) if sealed else b""


def test_an_older_token_update_after_a_renewal_is_ignored(phone):
    old = phone.identity, phone.certificate
    phone.renew()
    phone.update_token(Token=b"new")
    phone.identity, phone.certificate = old
    assert phone.update_token(Token=b"old").status_code == 200
    assert credentials(phone).token == b"new"


def test_check_out_ends_management_and_all_channels(mac):
    mac.update_user_token()
    assert mac.check_in(CHECK_OUT).status_code == 200
    device = mac.device
    assert device.state == DeviceState.UNENROLLED
    assert not device.commands.open().exists()
    for channel in device.channels.all():
        assert (channel.state, bytes(channel.sealed_push)) == ("ended", b"")


def test_a_repeated_check_out_is_accepted(phone):
    phone.check_in(CHECK_OUT)
    assert phone.check_in(CHECK_OUT).status_code == 200
    assert wire.history_of(phone.device).count("devices.device.unenrolled") == 1


def test_check_out_of_an_unfinished_enrollment_tells_the_page(client, tenant, person):
    phone = Phone(client, tenant, person)
    phone.authenticate()
    phone.check_in(CHECK_OUT)
    assert phone.device.state == DeviceState.UNENROLLED
    phone.session.refresh_from_db()
    assert phone.session.stopped_reason == "refused_by_device"
    assert phone.session.outcome == SessionOutcome.OPEN


def test_a_check_out_with_a_replaced_certificate_ends_nothing(phone):
    old = phone.identity, phone.certificate
    phone.renew()
    phone.update_token()
    phone.identity, phone.certificate = old
    assert phone.check_in(CHECK_OUT).status_code == 200
    assert phone.device.state == DeviceState.ACTIVE


def test_a_user_that_checks_out_leaves_the_device_enrolled(mac):
    mac.update_user_token()
    mac.check_in(CHECK_OUT | {"UserID": messages.USER_ID})
    assert mac.device.state == DeviceState.ACTIVE
    assert mac.device.channels.get(user_key=messages.USER_ID).state == "ended"


@pytest.mark.parametrize(
    "message", [messages.token_update(), messages.authenticate(), {"Status": "Idle"}]
)
def test_who_checked_out_and_comes_back_is_told_to_leave(phone, message):
    phone.check_in(CHECK_OUT)
    answer = phone.send(wire.CHECKIN, message | {"UDID": phone.udid})
    assert answer.status_code == 401
    assert phone.device.state == DeviceState.UNENROLLED
    assert "apple.management.withdrawn" in wire.history_of(phone.device)


def test_the_bootstrap_token_is_stored_sealed_given_back_and_deleted(mac):
    assert mac.check_in(set_bootstrap(b"escrow")).status_code == 200
    sealed = bytes(AppleDevice.objects.get(device=mac.device).sealed_bootstrap_token)
    assert b"escrow" not in sealed
    answer = mac.check_in(GET_BOOTSTRAP)
    assert answer["Content-Type"] == "application/xml"
    from apple.protocol import plist

    assert plist.read(answer.content, limit=10_000) == {"BootstrapToken": b"escrow"}
    assert mac.check_in(set_bootstrap(b"")).status_code == 200
    answer = mac.check_in(GET_BOOTSTRAP)
    assert plist.read(answer.content, limit=10_000) == {"BootstrapToken": b""}
    assert wire.history_of(mac.device)[-3:] == [
        "apple.bootstrap_token.stored",
        "apple.bootstrap_token.released",
        "apple.bootstrap_token.deleted",
    ]


def test_a_user_channel_gets_no_bootstrap_token(mac):
    mac.check_in(set_bootstrap(b"escrow"))
    answer = mac.check_in(GET_BOOTSTRAP | {"UserID": messages.USER_ID})
    assert (answer.status_code, answer.content) == (404, b"")


@pytest.mark.parametrize(
    "message",
    [
        {"MessageType": "GetToken", "TokenServiceType": "com.apple.maid"},
        {"MessageType": "DeclarativeManagement", "Endpoint": "tokens"},
    ],
)
def test_what_is_not_offered_is_refused_politely(phone, message):
    answer = phone.check_in(message)
    assert 400 <= answer.status_code < 500
    assert answer.status_code not in (401, 403)
    assert phone.device.state == DeviceState.ACTIVE


FORGED = {
    "check-in": messages.authenticate(),
    "token": messages.token_update(Token=b"forged"),
    "check-out": CHECK_OUT,
    "bootstrap": GET_BOOTSTRAP,
    "set-bootstrap": set_bootstrap(b"forged"),
    "user": {"MessageType": "UserAuthenticate", "UserID": "U"},
    "declarations": {"MessageType": "DeclarativeManagement", "Endpoint": "tokens"},
    "poll": {"Status": "Idle"},
    "result": {"Status": "Acknowledged", "CommandUUID": "x"},
}


@pytest.mark.parametrize("name", FORGED)
def test_nobody_speaks_for_another_device(mac, client, tenant, name):
    mac.check_in(set_bootstrap(b"escrow"))
    victim = mac.device
    DeviceContact.objects.filter(device=victim).update(last_seen_at=victim.created_at)
    before = _picture(victim)
    thief = wire.other_phone(client, tenant).enroll()
    own = _picture(thief.device)
    answer = thief.send(wire.CHECKIN, FORGED[name] | {"UDID": mac.udid})
    assert (answer.status_code, answer.content) == (400, b"")
    assert _picture(victim) == before
    assert _picture(thief.device) == own
    assert "apple.identity.mismatched" in wire.history_of(thief.device)


def _picture(device: Device) -> list[object]:
    device = Device.objects.get(pk=device.pk)
    apple = AppleDevice.objects.get(device=device)
    return [
        device.state,
        device.name,
        DeviceContact.objects.get(device=device).last_seen_at,
        bytes(apple.sealed_bootstrap_token),
        [bytes(channel.sealed_push) for channel in device.channels.all()],
        sorted(Command.objects.filter(device=device).values_list("pk", "status")),
        sorted(Identity.objects.filter(device=device).values_list("pk", "superseded_at")),
        Channel.objects.filter(device=device).count(),
    ]


def test_a_certificate_that_is_spoken_for_cannot_claim_another_device(phone):
    before = Device.objects.count()
    answer = phone.send(wire.CHECKIN, messages.authenticate(UDID="SOMEBODY-ELSE"))
    assert answer.status_code == 400
    assert Device.objects.count() == before


def test_a_revoked_certificate_is_refused_but_not_told_to_leave(phone):
    Identity.objects.update(revoked_at=phone.device.created_at)
    assert phone.send(wire.CONNECT, messages.idle()).status_code == 400
    assert phone.check_in(CHECK_OUT).status_code == 400
    assert phone.device.state == DeviceState.ACTIVE


def test_abnormal_events_do_not_flood_the_history(phone):
    for _ in range(20):
        phone.send(wire.CONNECT, messages.idle(UDID="OTHER"))
    assert wire.history_of(phone.device).count("apple.identity.mismatched") == 5


@pytest.mark.parametrize(
    ("product", "platform"),
    [("iPad13,1", "ipad"), ("Mac15,3", "mac"), ("AppleTV14,1", "other"), ("", "iphone")],
)
def test_the_platform_comes_from_the_product_or_else_from_the_page(
    client, tenant, person, product, platform
):
    phone = Phone(client, tenant, person)
    phone.authenticate(ProductName=product)
    assert phone.device.platform == Platform(platform)


def test_every_contact_counts_as_being_seen(phone):
    DeviceContact.objects.update(last_seen_at=phone.device.created_at.replace(year=2020))
    phone.update_token()
    assert phone.device.contact.last_seen_at.year > 2020


def test_a_retired_device_that_comes_back_is_told_to_leave(phone):
    lifecycle.transition(device_id=phone.device.pk, to=DeviceState.RETIRED, actor=phone.user.actor)
    assert phone.send(wire.CONNECT, messages.idle()).status_code == 401
    assert phone.update_token().status_code == 401

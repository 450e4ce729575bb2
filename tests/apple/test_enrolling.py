"""Authenticate and the first TokenUpdate: from a certificate to an active device."""

from __future__ import annotations

import pytest

from accounts.models import UserSettings
from apple.models import AppleDevice
from apple.services import tokens
from core.models import HistoryEntry
from devices.models import Channel, Device, Identity, PhysicalDevice
from devices.services import commands, lifecycle, wipes
from devices.states import DeviceState
from enrollment.models import SessionOutcome, SessionStage
from enrollment.services import sessions
from tests import factories
from tests.apple import messages, wire
from tests.apple.wire import Mac, Phone

pytestmark = pytest.mark.django_db


@pytest.fixture
def phone(client, tenant, person):
    return Phone(client, tenant, person)


@pytest.fixture
def mac(client, tenant, person):
    return Mac(client, tenant, person)


def test_authenticate_opens_an_entry_and_binds_the_certificate(phone, person):
    answer = phone.authenticate()
    assert (answer.status_code, answer.content) == (200, b"")
    device = phone.device
    assert (device.state, device.platform, device.user) == ("enrolling", "iphone", person)
    assert device.model == "iPhone15,2"
    phone.session.refresh_from_db()
    assert (phone.session.stage, phone.session.device) == (SessionStage.CHECKED_IN, device)


def test_the_first_token_makes_the_device_active_and_asks_for_its_inventory(phone, tenant):
    phone.authenticate()
    answer = phone.update_token()
    assert (answer.status_code, answer.content) == (200, b"")
    device = phone.device
    assert device.state == DeviceState.ACTIVE
    assert device.enrolled_at is not None
    assert set(device.commands.values_list("kind", flat=True)) == {
        "DeviceInformation",
        "SecurityInfo",
        "ProfileList",
        "CertificateList",
        "InstalledApplicationList",
    }
    phone.session.refresh_from_db()
    assert phone.session.outcome == SessionOutcome.ACTIVE
    tenant.refresh_from_db()
    assert tenant.enrolled_public_url
    assert device.inventory_due_at is not None


def test_tokens_are_kept_sealed(phone):
    phone.enroll()
    channel = phone.device.channels.get()
    credentials = tokens.open_push(channel)
    assert credentials.magic.encode() not in bytes(channel.sealed_push)
    assert credentials.magic == messages.token_update()["PushMagic"]
    apple = AppleDevice.objects.get(device=phone.device)
    unlock = tokens.open_unlock(phone.device.pk, apple.sealed_unlock_token)
    assert unlock == messages.token_update()["UnlockToken"]
    assert unlock not in bytes(apple.sealed_unlock_token)
    assert channel.push_due_at is not None


def test_enrolling_is_told_in_the_history_from_beginning_to_end(phone):
    phone.enroll()
    assert wire.history_of(phone.device)[:2] == [
        "devices.device.enrolling",
        "devices.device.active",
    ]


def test_a_repeated_authenticate_and_token_update_change_nothing(phone):
    phone.enroll()
    before = Device.objects.count(), phone.device.state, phone.device.commands.count()
    assert phone.authenticate().status_code == 200
    assert phone.update_token().status_code == 200
    assert (Device.objects.count(), phone.device.state, phone.device.commands.count()) == before


def test_a_mac_has_a_device_channel_and_a_user_channel(mac):
    mac.authenticate()
    mac.update_token()
    assert mac.update_user_token().status_code == 200
    user = mac.device.channels.get(user_key=messages.USER_ID)
    assert (user.state, user.user_short_name) == ("active", "ada")
    device_channel = mac.device.channels.get(user_key="")
    assert tokens.open_push(user) != tokens.open_push(device_channel)
    assert mac.device.name == "Ada's MacBook Air"


def test_the_user_may_speak_before_the_device(mac):
    mac.authenticate()
    assert mac.update_user_token().status_code == 200
    assert mac.device.state == DeviceState.ENROLLING
    mac.update_token()
    assert mac.device.state == DeviceState.ACTIVE


def test_a_device_cannot_have_endless_users(mac, tenant):
    UserSettings.objects.filter(tenant=tenant).update(network_accounts="all")
    mac.authenticate()
    answers = [mac.update_user_token(UserID=f"U{n}").status_code for n in range(22)]
    assert answers.count(200) == 20
    assert set(answers[20:]) == {410}


def test_a_token_before_authenticate_is_refused(phone):
    assert phone.update_token().status_code == 400
    assert not Device.objects.exists()


def test_a_certificate_without_an_attempt_opens_nothing(phone):
    Identity.objects.update(session_id=None)
    assert phone.authenticate().status_code == 400
    assert not Device.objects.exists()


def test_an_attempt_that_was_taken_back_is_turned_away(phone):
    phone.session.outcome = SessionOutcome.CANCELLED
    phone.session.save()
    assert phone.authenticate().status_code == 401
    assert not Device.objects.exists()


def test_a_disabled_person_enrolls_nothing(phone, person):
    person.is_active = False
    person.save()
    assert phone.authenticate().status_code == 401
    assert not Device.objects.exists()


def test_one_device_too_many_is_turned_away_and_the_page_learns_why(phone, person, tenant):
    UserSettings.objects.filter(tenant=tenant).update(device_limit=1)
    factories.device(tenant, person)
    assert phone.authenticate().status_code == 401
    phone.session.refresh_from_db()
    assert phone.session.stopped_reason == "device_limit"
    assert not PhysicalDevice.objects.filter(key=phone.udid).exists()


def test_an_enrolled_device_is_never_turned_away_for_a_lower_limit(phone, person, tenant):
    phone.enroll()
    factories.device(tenant, person)
    UserSettings.objects.filter(tenant=tenant).update(device_limit=1)
    assert phone.authenticate().status_code == 200
    assert phone.update_token().status_code == 200
    assert phone.say("Idle") is not None


def test_a_new_enrollment_archives_the_old_entry_and_its_queue(phone):
    phone.enroll()
    old, old_identity = phone.device, phone.identity
    lifecycle.request_retire(device=old, actor=phone.user.actor)
    phone.get_profile()
    phone.enroll()
    new = phone.device
    old.refresh_from_db()
    assert new.pk != old.pk
    assert (old.state, old.archived_at is not None, old.superseded_by) == ("reset", True, new)
    assert (new.epoch, new.state) == (2, "active")
    assert not old.commands.open().exists()
    assert "RemoveProfile" not in phone.drain()
    assert Device.objects.current().filter(physical=new.physical).count() == 1
    assert Identity.objects.get(pk=old_identity.pk).device == old


def test_a_pending_wipe_does_not_reach_the_device_after_it_enrolled_again(phone):
    phone.enroll()
    wipes.order(
        device=phone.device, actor=phone.user.actor, confirmation=phone.device.label, reason="lost"
    )
    phone.get_profile()
    phone.enroll()
    assert "EraseDevice" not in phone.drain()
    assert phone.device.state == DeviceState.ACTIVE


def test_secrets_of_the_old_entry_are_out_of_reach_of_the_new_one(client, tenant, person):
    mac = Mac(client, tenant, person)
    mac.enroll()
    mac.check_in({"MessageType": "SetBootstrapToken", "BootstrapToken": b"first owner"})
    mac.get_profile()
    mac.enroll()
    answer = mac.check_in({"MessageType": "GetBootstrapToken"})
    assert b"first owner" not in answer.content
    assert not AppleDevice.objects.get(device=mac.device).sealed_bootstrap_token


def test_a_device_that_changes_hands_is_noted(phone, client, tenant):
    phone.enroll()
    thief = wire.other_phone(client, tenant)
    thief.udid = phone.udid
    thief.enroll()
    assert "apple.device.changed_hands" in wire.history_of(thief.device)
    assert thief.device.user == thief.user


def test_the_replaced_certificate_is_refused_but_never_told_to_leave(phone):
    phone.enroll()
    old = phone.identity, phone.certificate
    phone.get_profile()
    phone.enroll()
    new = phone.device
    phone.identity, phone.certificate = old
    assert phone.send(wire.CONNECT, messages.idle()).status_code == 400
    assert phone.update_token(Token=b"older").status_code == 200
    assert phone.check_in({"MessageType": "CheckOut", "Topic": "x"}).status_code == 200
    new.refresh_from_db()
    assert new.state == DeviceState.ACTIVE
    assert tokens.open_push(new.channels.get()).token != b"older"


def test_a_device_of_another_organisation_gets_an_entry_of_its_own(
    phone, client, other_tenant, stranger
):
    elsewhere = Phone(client, other_tenant, stranger, udid=phone.udid).enroll()
    before = elsewhere.device.state, elsewhere.device.epoch, elsewhere.device.commands.count()
    phone.enroll()
    after = elsewhere.device.state, elsewhere.device.epoch, elsewhere.device.commands.count()
    assert before == after
    assert (phone.device.tenant, elsewhere.device.tenant) == (phone.tenant, other_tenant)
    told = set(HistoryEntry.objects.filter(tenant=other_tenant).values_list("action", flat=True))
    assert "apple.device.enrolled_elsewhere" in told
    assert "apple.device.known_elsewhere" in wire.history_of(phone.device)


def test_an_enrollment_that_was_given_up_finishes_late(phone):
    phone.authenticate()
    lifecycle.abandon(device_id=phone.device.pk, actor=phone.user.actor)
    assert phone.device.state == DeviceState.ABANDONED
    assert phone.update_token().status_code == 200
    device = phone.device
    assert (device.state, device.ended_at) == (DeviceState.ACTIVE, None)


def test_an_enrollment_that_was_taken_back_does_not_finish_late(phone):
    phone.authenticate()
    sessions.end(phone.session, SessionOutcome.CANCELLED, "revoked", actor=phone.user.actor)
    assert phone.update_token().status_code == 401
    assert phone.device.state == DeviceState.ABANDONED


def test_the_first_token_is_cheap_enough(phone, django_assert_max_num_queries):
    phone.authenticate()
    with django_assert_max_num_queries(41):
        phone.update_token()


def test_a_later_token_is_cheap(phone, django_assert_max_num_queries):
    phone.enroll()
    phone.drain()
    with django_assert_max_num_queries(14):
        phone.update_token(Token=b"a new one")


def test_orders_that_waited_for_a_working_token_are_pushed(phone):
    phone.enroll()
    Channel.objects.update(push_due_at=None, push_broken_reason="BadDeviceToken")
    assert commands.waiting(phone.device.channels.get().pk, with_not_now=True).exists()
    phone.update_token(Token=b"a new one")
    channel = phone.device.channels.get()
    assert (channel.push_broken_reason, channel.push_due_at is not None) == ("", True)

"""The users of a Mac: one managed person, a channel of their own, network accounts by policy."""

from __future__ import annotations

import datetime as dt

import pytest

from accounts.models import UserSettings
from apple.protocol import plist
from apple.services import tokens
from core import clock
from devices.models import Device
from devices.services import commands
from tests.apple import messages, wire
from tests.apple.wire import Mac
from tests.portal import path, text

pytestmark = pytest.mark.django_db
OTHER = "0A1B2C3D-0000-4000-8000-00000000BEEF"


@pytest.fixture
def mac(client, tenant, person):
    """An active Mac whose person is not logged in yet."""
    made = Mac(client, tenant, person)
    made.authenticate()
    made.update_token()
    return made


def decide(tenant, policy: str) -> None:
    UserSettings.objects.filter(tenant=tenant).update(network_accounts=policy)


def log_in(mac, user_id: str = OTHER, name: str = "net"):
    return mac.check_in(
        {"MessageType": "UserAuthenticate", "UserID": user_id, "UserShortName": name}
    )


def age(mac, hours: int) -> None:
    Device.objects.filter(pk=mac.device.pk).update(
        enrolled_at=clock.now() - dt.timedelta(hours=hours)
    )


def users(mac) -> set[str]:
    return set(mac.device.channels.exclude(user_key="").values_list("user_key", flat=True))


def test_the_network_account_that_registers_the_mac_is_managed(mac):
    answer = log_in(mac)
    assert answer.status_code == 200
    assert plist.read(answer.content, limit=10_000) == {"DigestChallenge": ""}
    assert mac.update_user_token(UserID=OTHER).status_code == 200
    channel = mac.device.channels.get(user_key=OTHER)
    assert (channel.state, channel.user_short_name) == ("active", "ada")
    assert channel.login_at is not None
    assert "apple.user.logged_in" in wire.history_of(mac.device)


def test_a_login_that_is_repeated_is_told_once(mac):
    for _ in range(3):
        assert log_in(mac).status_code == 200
    assert wire.history_of(mac.device).count("apple.user.logged_in") == 1
    assert users(mac) == {OTHER}


@pytest.mark.parametrize(
    ("policy", "hours", "status"),
    [
        ("registration", 1, 200),
        ("registration", 25, 410),
        ("never", 1, 410),
        ("all", 1, 200),
        ("all", 9000, 200),
    ],
)
def test_the_policy_says_who_is_managed(mac, tenant, policy, hours, status):
    decide(tenant, policy)
    age(mac, hours)
    assert log_in(mac).status_code == status
    assert users(mac) == ({OTHER} if status == 200 else set())


def test_a_visitor_is_not_managed_beside_the_person(mac, tenant):
    mac.update_user_token()
    assert log_in(mac).status_code == 410
    assert mac.update_user_token(UserID=OTHER).status_code == 410
    assert users(mac) == {messages.USER_ID}
    decide(tenant, "all")
    assert log_in(mac).status_code == 200
    assert users(mac) == {messages.USER_ID, OTHER}


def test_a_known_account_comes_back_years_later(mac):
    log_in(mac)
    mac.update_user_token(UserID=OTHER)
    age(mac, 20_000)
    assert log_in(mac).status_code == 200


def test_an_account_that_left_makes_room_while_the_mac_is_new(mac):
    log_in(mac)
    mac.update_user_token(UserID=OTHER)
    mac.check_in({"MessageType": "CheckOut", "UserID": OTHER})
    assert mac.device.state == "active"
    assert mac.update_user_token().status_code == 200
    assert mac.device.channels.get(user_key=OTHER).state == "ended"


def test_a_retired_mac_manages_nobody(mac):
    Device.objects.filter(pk=mac.device.pk).update(state="retired")
    assert log_in(mac).status_code != 200
    assert users(mac) == set()


def test_each_channel_has_tokens_and_a_queue_of_its_own(mac, owner):
    mac.update_user_token()
    of_mac, of_user = (mac.device.channels.get(user_key=key) for key in ("", messages.USER_ID))
    assert tokens.open_push(of_mac) != tokens.open_push(of_user)
    queued = commands.enqueue(channel=of_user, kind="ProfileList", actor=owner.actor)
    mac.device.commands.exclude(pk=queued.pk).delete()
    assert commands.hand_out(channel=of_mac, is_idle=True) is None
    assert commands.hand_out(channel=of_user, is_idle=True) == queued


def test_the_page_shows_the_users_of_a_mac(mac, signed_in, owner, device):
    client = signed_in(owner)
    page = path("device-detail", mac.device.pk) + "?tab=users"
    assert "No user of this Mac is managed" in text(client.get(page))
    mac.update_user_token()
    shown = text(client.get(page))
    assert "Ada Lovelace" in shown or "ada" in shown
    assert "Last known login" in shown
    assert "?tab=users" not in text(client.get(path("device-detail", device.pk)))

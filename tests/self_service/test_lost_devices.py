"""People whose device is lost, or whose passcode is forgotten."""

from __future__ import annotations

import pytest

from apple.models import AppleDevice
from apple.services import tokens
from core import clock
from devices.errors import ActionNotAllowed, NotLost, NotYourDevice, NotYourSearch
from devices.services import belonging, lost_mode, self_service
from tests.portal import history_of, me, text

pytestmark = pytest.mark.django_db
SEARCHES = ("me-device-locate", "me-device-play-sound", "me-device-lost-mode-off")
ALL = (*SEARCHES, "me-device-lost-mode", "me-device-clear-passcode", "me-location-reveal")
WORDS = {"reason": "Left on the train", "message": "Call me"}


@pytest.fixture
def device(device, policy):
    device.is_supervised = True
    device.save()
    AppleDevice.objects.create(
        device=device, sealed_unlock_token=tokens.seal_unlock(device.pk, b"token")
    )
    policy(self_service_lost_mode=True, self_service_clear_passcode=True)
    return device


def lose(device, actor):
    lost_mode.begin(device=device, actor=device.actor, asked_by=actor.as_dict())
    lost_mode.keep_place(device=device, latitude=48.5, longitude=2.25, accuracy=5.0)
    device.refresh_from_db()


def test_both_are_off_until_the_organisation_allows_them(fresh_pia, device, policy, person):
    policy(self_service_lost_mode=False, self_service_clear_passcode=False)
    lose(device, person.person_actor)
    for name in ALL:
        address = me(name, device.pk)
        assert address not in text(fresh_pia.get(me("me-device", device.pk)))
        assert fresh_pia.post(address, WORDS).status_code == 404
    assert not device.commands.exists()


def test_a_forgotten_passcode_is_removed_after_a_recent_sign_in(pia, fresh_pia, device, person):
    address = me("me-device-clear-passcode", device.pk)
    assert "/me/account/confirm/" in pia.post(address, WORDS).headers["Location"]
    assert "in your hands" in text(fresh_pia.get(address))
    assert fresh_pia.post(address, {}).status_code == 422
    assert fresh_pia.post(address, {"reason": "Forgot it"}).status_code == 302
    command = device.commands.get(kind="ClearPasscode")
    assert command.requested_by == person.person_actor.as_dict()


def test_lost_mode_says_what_happens_and_wants_a_text(pia, fresh_pia, device):
    address = me("me-device-lost-mode", device.pk)
    assert "/me/account/confirm/" in pia.post(address, WORDS).headers["Location"]
    assert "not even you" in text(fresh_pia.get(address))
    assert fresh_pia.post(address, {"reason": "x"}).status_code == 422
    assert fresh_pia.post(address, WORDS).status_code == 302
    assert device.commands.get().params == {"message": "Call me"}


def test_whoever_lost_it_finds_it_and_each_look_is_written(fresh_pia, device, person):
    lose(device, person.person_actor)
    page = text(fresh_pia.get(me("me-device", device.pk)))
    assert me("me-location-reveal", device.pk) in page
    assert "48.5" not in page
    assert "48.5" not in text(fresh_pia.get(me("me-location-reveal", device.pk)))
    shown = fresh_pia.post(me("me-location-reveal", device.pk))
    assert "48.5, 2.25" in text(shown)
    assert history_of(device).count("devices.location.viewed") == 1
    for name in SEARCHES:
        assert fresh_pia.post(me(name, device.pk)).status_code == 302
    kinds = set(device.commands.values_list("kind", flat=True))
    assert kinds == {"DeviceLocation", "PlayLostModeSound", "DisableLostMode"}


def test_a_place_wants_a_recent_sign_in(pia, device, person):
    lose(device, person.person_actor)
    answer = pia.post(me("me-location-reveal", device.pk))
    assert "/me/account/confirm/" in answer.headers["Location"]
    assert "devices.location.viewed" not in history_of(device)


def test_what_an_administrator_looks_for_is_not_shown_to_the_person(fresh_pia, device, owner):
    lose(device, owner.actor)
    page = text(fresh_pia.get(me("me-device", device.pk)))
    for name in (*SEARCHES, "me-location-reveal"):
        assert me(name, device.pk) not in page
        assert fresh_pia.post(me(name, device.pk)).status_code == 404
    assert "devices.location.viewed" not in history_of(device)


def test_the_service_asks_again(device, person, owner, colleague, policy):
    with pytest.raises(NotLost):
        self_service.reveal_place(device=device, user=person)
    lose(device, owner.actor)
    with pytest.raises(NotYourSearch):
        self_service.reveal_place(device=device, user=person)
    with pytest.raises(NotYourSearch):
        self_service.search(device=device, user=person, action="locate")
    with pytest.raises(NotYourDevice):
        self_service.reveal_place(device=device, user=colleague)
    policy(self_service_lost_mode=False)
    with pytest.raises(ActionNotAllowed):
        self_service.search(device=device, user=person, action="locate")


def test_who_gave_the_device_away_does_not_see_where_it_went(
    fresh_pia, device, person, owner, colleague
):
    lose(device, person.person_actor)
    belonging.assign(device=device, actor=owner.actor, person=colleague)
    assert fresh_pia.post(me("me-location-reveal", device.pk)).status_code == 404
    device.refresh_from_db()
    assert not self_service.offered(device=device, user=colleague) & self_service.SEARCH
    with pytest.raises(NotYourSearch):
        self_service.reveal_place(device=device, user=colleague)


@pytest.mark.parametrize("name", ALL)
def test_a_device_of_somebody_else_is_not_there(fresh_pia, device, colleague, name):
    type(device).objects.filter(pk=device.pk).update(user=colleague, lost_since=clock.now())
    assert fresh_pia.post(me(name, device.pk), WORDS).status_code == 404
    assert not device.commands.exists()


@pytest.mark.parametrize("name", SEARCHES)
def test_looking_at_an_address_orders_nothing(fresh_pia, device, person, name):
    lose(device, person.person_actor)
    assert fresh_pia.get(me(name, device.pk)).status_code == 405
    assert not device.commands.exists()

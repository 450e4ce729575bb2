"""People and their own devices: what they see, what they may do, and nobody else's."""

from __future__ import annotations

import pytest
from django.test import Client

from devices.models import Command
from devices.services import lifecycle, self_service, wipes
from devices.states import CommandStatus, DeviceState
from tests import factories
from tests.portal import history_of, me, sign_in_me, text

pytestmark = pytest.mark.django_db
ACTIONS = ("me-device-check-in", "me-device-lock", "me-device-retire", "me-order-cancel")


def order_of(device) -> Command:
    return lifecycle.pending_order(device)


def wiping(device):
    return {"confirmation": device.label, "reason": "Lost on the train"}


def test_the_list_shows_ones_own_devices_in_words(pia, device, colleague, tenant):
    factories.device(tenant, colleague, name="Carl's iPhone")
    page = text(pia.get("/me/"))
    assert "Pia&#x27;s iPhone" in page
    assert "just now" in page
    assert "Carl" not in page


def test_without_a_device_there_is_one_thing_to_do(pia):
    page = text(pia.get("/me/"))
    assert "No device yet" in page
    assert me("me-device-add") in page


def test_the_timeline_is_the_one_the_administrator_sees(pia, device, owner, signed_in):
    lifecycle.request_retire(device=device, actor=owner.actor, reason="Leaves the company")
    own, theirs = (
        text(pia.get(me("me-device", device.pk))),
        text(signed_in(owner).get(f"/devices/{device.pk}/")),
    )
    timeline = [
        page[page.index('<ol class="m-timeline">') :].split("</ol>")[0] for page in (own, theirs)
    ]
    assert timeline[0] == timeline[1]
    assert "Leaves the company" in timeline[0]


def test_the_page_answers_its_polls_with_nothing_while_nothing_changed(pia, device):
    page = text(pia.get(me("me-device", device.pk)))
    digest = page.split('data-live="')[1].split('"')[0]
    assert pia.get(me("me-device", device.pk) + f"?seen={digest}").status_code == 204


@pytest.mark.parametrize("name", ["me-device", *ACTIONS, "me-device-wipe", "me-pin-reveal"])
@pytest.mark.parametrize("whose", ["colleague", "stranger", "nobody"])
def test_a_device_that_is_not_ones_own_is_not_there(
    fresh_pia, tenant, colleague, stranger, policy, name, whose
):
    policy(self_service_wipe=True)
    owner = {"colleague": colleague, "stranger": stranger, "nobody": None}[whose]
    other = factories.device(stranger.tenant if whose == "stranger" else tenant, owner)
    page = me(name, other.pk)
    answers = {fresh_pia.get(page).status_code, fresh_pia.post(page, wiping(other)).status_code}
    assert answers <= {404, 405}
    assert history_of(other) == []
    assert not other.commands.exists()


def test_a_role_widens_nothing_here(owner, device):
    client = Client()
    sign_in_me(client, owner, is_recent=True)
    assert client.get(me("me-device", device.pk)).status_code == 404
    assert client.post(me("me-device-lock", device.pk)).status_code == 404


def test_an_archived_entry_is_not_shown(pia, device):
    from core import clock

    device.archived_at = clock.now()
    device.save()
    assert pia.get(me("me-device", device.pk)).status_code == 404


def test_check_in_is_asked_for_by_the_person(pia, device, person):
    pia.post(me("me-device-check-in", device.pk))
    assert "devices.check_in.requested" in history_of(device)
    from core.models import HistoryEntry

    entry = HistoryEntry.objects.about(device).get(action="devices.check_in.requested")
    assert (entry.actor_kind, entry.actor_id) == ("person", str(person.pk))


def test_lock_says_what_happens_and_carries_the_message(pia, device):
    assert "Nothing is deleted" in text(pia.get(me("me-device-lock", device.pk)))
    answer = pia.post(me("me-device-lock", device.pk), {"message": "Found? Call me.", "phone": "1"})
    assert answer.status_code == 302
    assert device.commands.get(kind="DeviceLock").requested_by["kind"] == "person"


def test_the_pin_of_a_locked_mac_is_shown_to_its_person_after_a_recent_sign_in(pia, fresh_pia, mac):
    assert fresh_pia.get(me("me-pin-reveal", mac.pk)).status_code == 404
    pia.post(me("me-device-lock", mac.pk), {})
    assert "/me/account/confirm/" in pia.get(me("me-pin-reveal", mac.pk)).headers["Location"]
    shown = fresh_pia.post(me("me-pin-reveal", mac.pk))
    from devices.services import pins

    mac.refresh_from_db()
    assert pins._open(mac) in shown.content.decode()
    assert "devices.pin.revealed" in history_of(mac)


def test_retire_is_ordered_and_taken_back(pia, device):
    assert "data, photos and apps stay" in text(pia.get(me("me-device-retire", device.pk)))
    pia.post(me("me-device-retire", device.pk), {"reason": "New phone"})
    device.refresh_from_db()
    assert device.state == DeviceState.RETIRE_PENDING
    assert "Cancel the order" in text(pia.get(me("me-device", device.pk)))
    pia.post(me("me-order-cancel", device.pk))
    device.refresh_from_db()
    assert device.state == DeviceState.ACTIVE


def test_an_order_that_the_device_has_cannot_be_taken_back(pia, device):
    pia.post(me("me-device-retire", device.pk))
    Command.objects.filter(pk=order_of(device).pk).update(status=CommandStatus.SENT)
    assert "cannot be cancelled" in text(pia.post(me("me-order-cancel", device.pk), follow=True))
    device.refresh_from_db()
    assert device.state == DeviceState.RETIRE_PENDING


def test_an_administrators_order_is_theirs_to_take_back(pia, device, owner):
    wipes.order(device=device, actor=owner.actor, confirmation=device.label, reason="Stolen")
    assert "Cancel the order" not in text(pia.get(me("me-device", device.pk)))
    answer = pia.post(me("me-order-cancel", device.pk), follow=True)
    assert "An administrator gave this order" in text(answer)
    device.refresh_from_db()
    assert device.state == DeviceState.WIPE_PENDING


def test_wipe_is_off_until_the_organisation_allows_it(fresh_pia, device, person):
    page = text(fresh_pia.get(me("me-device", device.pk)))
    assert me("me-device-wipe", device.pk) not in page
    assert "to wipe it" in page
    assert fresh_pia.get(me("me-device-wipe", device.pk)).status_code == 404
    assert fresh_pia.post(me("me-device-wipe", device.pk), wiping(device)).status_code == 404
    assert not device.commands.exists()


def test_wipe_asks_who_it_is_first(pia, device, policy):
    policy(self_service_wipe=True)
    answer = pia.post(me("me-device-wipe", device.pk), wiping(device))
    assert answer.headers["Location"].startswith("/me/account/confirm/")
    device.refresh_from_db()
    assert device.state == DeviceState.ACTIVE


@pytest.mark.parametrize("missing", ["confirmation", "reason"])
def test_wipe_wants_the_name_and_the_reason(fresh_pia, device, policy, missing):
    policy(self_service_wipe=True)
    answer = fresh_pia.post(me("me-device-wipe", device.pk), wiping(device) | {missing: " "})
    assert answer.status_code == 422
    device.refresh_from_db()
    assert device.state == DeviceState.ACTIVE


def test_wipe_is_ordered_by_its_person(fresh_pia, device, policy, person):
    policy(self_service_wipe=True)
    page = text(fresh_pia.get(me("me-device-wipe", device.pk)))
    assert "Lock it first" in page
    fresh_pia.post(me("me-device-wipe", device.pk), wiping(device))
    device.refresh_from_db()
    assert device.state == DeviceState.WIPE_PENDING
    assert order_of(device).requested_by == person.person_actor.as_dict()


def test_a_wrong_name_wipes_nothing(fresh_pia, device, policy):
    policy(self_service_wipe=True)
    answer = fresh_pia.post(
        me("me-device-wipe", device.pk), wiping(device) | {"confirmation": "Some phone"}
    )
    assert answer.status_code == 422
    device.refresh_from_db()
    assert device.state == DeviceState.ACTIVE


@pytest.mark.parametrize("action", ["check_in", "lock", "retire", "wipe"])
def test_what_the_policy_forbids_is_neither_offered_nor_done(
    fresh_pia, device, person, policy, action
):
    policy(self_service_wipe=True)
    assert action in self_service.offered(device=device, user=person)
    policy(**{f"self_service_{action}": False})
    address = me(f"me-device-{action.replace('_', '-')}", device.pk)
    assert address not in text(fresh_pia.get(me("me-device", device.pk)))
    fresh_pia.post(address, wiping(device))
    assert history_of(device) == []
    assert not device.commands.exists()


def test_the_service_asks_again_whose_device_it_is(device, person, colleague):
    from devices.errors import NotYourDevice

    device.user = colleague
    type(device).objects.filter(pk=device.pk).update(user=colleague)
    with pytest.raises(NotYourDevice):
        self_service.lock(device=device, user=person)


def test_a_device_that_has_ended_offers_nothing(pia, device, person):
    lifecycle.transition(device_id=device.pk, to=DeviceState.UNENROLLED, actor=person.person_actor)
    page = text(pia.get(me("me-device", device.pk)))
    assert "not managed any more" in page
    assert me("me-device-lock", device.pk) not in page
    assert "1 earlier device" in text(pia.get("/me/"))


@pytest.mark.parametrize("name", [*ACTIONS, "me-device-wipe"])
def test_nothing_is_done_without_the_token_of_the_form(person, device, policy, name):
    policy(self_service_wipe=True)
    client = Client(enforce_csrf_checks=True)
    sign_in_me(client, person, is_recent=True)
    assert client.post(me(name, device.pk), wiping(device)).status_code == 403
    assert history_of(device) == []


def test_a_token_of_the_other_plane_is_worth_nothing_here(person, device):
    client = Client(enforce_csrf_checks=True)
    client.get("/sign-in/")
    sign_in_me(client, person)
    token = client.cookies["muster-csrf"].value
    answer = client.post(me("me-device-lock", device.pk), {"csrfmiddlewaretoken": token})
    assert answer.status_code == 403


def test_get_changes_nothing(pia, device):
    for name in ("me-device-check-in", "me-order-cancel"):
        assert pia.get(me(name, device.pk)).status_code == 405
    assert history_of(device) == []


def test_the_list_costs_the_same_for_any_number(pia, tenant, person, django_assert_max_num_queries):
    for _ in range(5):
        factories.device(tenant, person)
    with django_assert_max_num_queries(8):
        pia.get("/me/")

from __future__ import annotations

import pytest
from django.test import Client

from core.models import HistoryEntry
from devices.models import Command
from devices.services import lifecycle, pins
from tests import factories
from tests.portal import confirm, history_of, path, text

pytestmark = pytest.mark.django_db
WHY = "Left in a taxi"
ACTIONS = {
    "device-check-in": "devices.check_in",
    "device-lock": "devices.lock",
    "device-retire": "devices.retire",
    "device-wipe": "devices.wipe",
    "order-cancel": "devices.cancel",
    "device-delete": "devices.delete",
    "pin-reveal": "devices.reveal_pin",
    "location-reveal": "devices.locate",
    "device-clear-passcode": "devices.clear_passcode",
    "device-restart": "devices.restart",
    "device-shut-down": "devices.restart",
    "device-rename": "devices.rename",
    "device-lost-mode": "devices.lost_mode",
    "device-lost-mode-off": "devices.lost_mode",
    "device-play-sound": "devices.lost_mode",
    "device-locate": "devices.locate",
    "device-assign": "devices.assign",
    "device-set-ownership": "devices.assign",
    "device-close-order": "devices.close_order",
}
HELP = {
    "device-check-in",
    "device-lock",
    "pin-reveal",
    "device-clear-passcode",
    "device-restart",
    "device-shut-down",
    "device-rename",
    "device-lost-mode",
    "device-lost-mode-off",
    "device-play-sound",
}
MAY = {
    "owner": set(ACTIONS),
    "admin": set(ACTIONS),
    "helpdesk": HELP,
    "auditor": set(),
}


def do(client, action, device, **data):
    return client.post(path(f"devices:{action}", device.pk), data)


@pytest.mark.parametrize("who", MAY)
@pytest.mark.parametrize("action", ACTIONS)
def test_each_role_may_do_what_it_is_for(request, signed_in, device, who, action):
    client = signed_in(request.getfixturevalue(who))
    confirm(client)
    response = do(client, action, device)
    assert (response.status_code == 403) == (action not in MAY[who])


@pytest.mark.parametrize("action", ACTIONS)
def test_devices_of_others_do_not_exist(signed_in, owner, foreign_device, action):
    client = signed_in(owner)
    confirm(client)
    data = {"confirmation": foreign_device.label, "reason": WHY, "name": "X", "message": "X"}
    assert do(client, action, foreign_device, **data).status_code == 404
    assert not Command.objects.exists()
    assert not HistoryEntry.objects.filter(object_id=str(foreign_device.pk)).exists()


@pytest.mark.parametrize("action", ACTIONS)
def test_a_foreign_site_cannot_order_anything(owner, device, settings, action):
    settings.MUSTER_REQUIRE_ADMIN_MFA = False
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner, backend="accounts.backends.PortalBackend")
    confirm(client)
    response = do(client, action, device, confirmation=device.label, reason=WHY)
    assert response.status_code == 403
    assert "This form is out of date" in text(response)
    assert not Command.objects.exists()


@pytest.mark.parametrize("action", ["device-check-in", "order-cancel"])
def test_looking_at_an_address_orders_nothing(signed_in, owner, device, action):
    assert signed_in(owner).get(path(f"devices:{action}", device.pk)).status_code == 405


def test_check_in_asks_the_device_at_once(signed_in, helpdesk, device):
    response = do(signed_in(helpdesk), "device-check-in", device)
    assert response.url == path("device-detail", device.pk)
    assert Command.objects.get().kind == "Inventory"


def test_lock_goes_with_message_and_reason(signed_in, admin, device):
    do(signed_in(admin), "device-lock", device, message="Call us", phone="123", reason=WHY)
    assert Command.objects.get().kind == "Lock"
    assert history_of(device) == ["devices.lock.requested"]
    assert HistoryEntry.objects.get().data == {"reason": WHY}


def test_a_message_that_is_too_long_is_kept_and_complained_about(signed_in, admin, device):
    response = do(signed_in(admin), "device-lock", device, message="x" * 251)
    assert response.status_code == 422
    page = text(response)
    assert "There is a problem" in page
    assert "x" * 251 in page
    assert "<title>Error:" in page
    assert not Command.objects.exists()


def test_retire_can_be_cancelled_until_the_device_has_it(signed_in, admin, device):
    client = signed_in(admin)
    do(client, "device-retire", device, reason=WHY)
    device.refresh_from_db()
    assert device.state == "retire_pending"
    page = text(client.get(path("device-detail", device.pk)))
    assert "Cancel the order" in page
    assert WHY in page
    do(client, "order-cancel", device)
    device.refresh_from_db()
    assert device.state == "active"


def test_a_sent_order_cannot_be_cancelled_and_says_so(signed_in, admin, device):
    lifecycle.request_retire(device=device, actor=admin.actor)
    Command.objects.update(status="sent")
    lifecycle.transition(device_id=device.pk, to="retire_sent", actor=admin.actor)
    client = signed_in(admin)
    page = text(client.get(path("device-detail", device.pk)))
    assert "it can no longer be cancelled" in page
    assert "Cancel the order" not in page
    response = client.post(path("devices:order-cancel", device.pk), follow=True)
    assert "already received this order" in text(response)


def test_wipe_wants_a_recent_sign_in(signed_in, admin, device):
    client = signed_in(admin)
    for response in (
        client.get(path("devices:device-wipe", device.pk)),
        do(client, "device-wipe", device, confirmation=device.label, reason=WHY),
    ):
        assert response.status_code == 302
        assert response.url.startswith(path("account_reauthenticate"))
    device.refresh_from_db()
    assert device.state == "active"


@pytest.mark.parametrize(
    ("confirmation", "reason", "complaint"),
    [
        ("", WHY, "Fill in “Type the name of the device”."),
        ("OK", WHY, "does not match the device"),
        ("Pia's iPhone", "", "Fill in “Reason”."),
        ("Pia's iPhone", "   ", "Fill in “Reason”."),
    ],
)
def test_wipe_wants_the_name_and_a_reason(
    signed_in, admin, device, confirmation, reason, complaint
):
    client = signed_in(admin)
    confirm(client)
    response = do(client, "device-wipe", device, confirmation=confirmation, reason=reason)
    assert response.status_code == 422
    assert complaint in text(response)
    device.refresh_from_db()
    assert device.state == "active"


def test_wipe_is_ordered_with_the_typed_name(signed_in, admin, device):
    client = signed_in(admin)
    confirm(client)
    page = text(client.get(path("devices:device-wipe", device.pk)))
    assert "This cannot be undone" in page
    assert device.serial in page
    assert device.user.email in page
    do(client, "device-wipe", device, confirmation="pia's iphone", reason=WHY)
    device.refresh_from_db()
    assert device.state == "wipe_pending"


def test_a_pin_is_shown_after_a_click_and_that_is_written_down(signed_in, helpdesk, tenant):
    mac = factories.device(tenant, None, platform="mac", name="Mac")
    pin = pins.keep_pin(mac)
    client = signed_in(helpdesk)
    confirm(client)
    page = path("devices:pin-reveal", mac.pk)
    assert pin not in text(client.get(page))
    assert "devices.pin.revealed" not in history_of(mac)
    response = client.post(page)
    assert pin in text(response)
    assert "no-store" in response.headers["Cache-Control"]
    assert history_of(mac) == ["devices.pin.revealed"]


def test_a_pin_wants_a_recent_sign_in(signed_in, helpdesk, tenant):
    mac = factories.device(tenant, None, platform="mac", name="Mac")
    pins.keep_pin(mac)
    response = signed_in(helpdesk).post(path("devices:pin-reveal", mac.pk))
    assert response.url.startswith(path("account_reauthenticate"))
    assert history_of(mac) == []


def test_only_entries_that_are_over_can_be_deleted(signed_in, admin, tenant, device):
    client = signed_in(admin)
    assert do(client, "device-delete", device).status_code == 422
    retired = factories.device(tenant, None, state="retired")
    assert do(client, "device-delete", retired).url == path("devices:device-list")
    assert not type(device).objects.filter(pk=retired.pk).exists()

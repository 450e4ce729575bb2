"""Whose a device is, closed orders, single commands taken back, wipe options."""

from __future__ import annotations

import pytest

from core import clock
from core.models import HistoryEntry
from devices.errors import (
    CommandFinished,
    CommandIsOrder,
    ConfirmationMismatch,
    NoOpenOrder,
    NotSupported,
    ReasonMissing,
    StrangerAssigned,
    SupervisedIsCompany,
)
from devices.forms import AssignForm, WipeOptionsForm, options_of
from devices.models import Command
from devices.services import belonging, cancelling, closing, lifecycle
from devices.states import PENDING_ORDER, CommandStatus, DeviceState
from tests import factories
from tests.portal import confirm, history_of, path, text

pytestmark = pytest.mark.django_db
WHY = "Changed teams"


def test_a_device_is_given_to_somebody_else_and_the_history_says_from_whom(device, admin, tenant):
    other = factories.user(tenant, email="olive@acme.test")
    belonging.assign(device=device, actor=admin.actor, person=other, reason=WHY)
    device.refresh_from_db()
    assert device.user == other
    entry = HistoryEntry.objects.about(device).get(action="devices.device.assigned")
    assert entry.data == {"person": ["pia.person@acme.test", "olive@acme.test"], "reason": WHY}


def test_a_device_can_be_nobodys(device, admin):
    belonging.assign(device=device, actor=admin.actor, person=None)
    device.refresh_from_db()
    assert device.user is None


def test_giving_it_to_the_same_person_changes_nothing(device, admin, person):
    belonging.assign(device=device, actor=admin.actor, person=person)
    assert history_of(device) == []


def test_nobody_of_another_organisation_and_nobody_disabled_gets_it(
    device, admin, stranger, tenant, person
):
    disabled = factories.user(tenant, is_active=False)
    for wrong in (stranger, disabled):
        with pytest.raises(StrangerAssigned):
            belonging.assign(device=device, actor=admin.actor, person=wrong)
    device.refresh_from_db()
    assert device.user == person


def test_an_archived_entry_stays_as_it_was(tenant, admin):
    old = factories.device(tenant, state="reset", archived_at=clock.now())
    with pytest.raises(NotSupported):
        belonging.assign(device=old, actor=admin.actor, person=None)
    with pytest.raises(NotSupported):
        belonging.set_ownership(device=old, actor=admin.actor, ownership="company")


def test_the_form_knows_only_people_whom_the_asker_may_see(device, admin, stranger):
    form = AssignForm({"person": stranger.email}, device=device, user=admin)
    assert not form.is_valid()
    assert "no such person" in str(form.errors)
    assert AssignForm({"person": ""}, device=device, user=admin).is_valid()


def test_ownership_is_changed_with_before_and_after(device, admin):
    belonging.set_ownership(device=device, actor=admin.actor, ownership="personal", reason=WHY)
    entry = HistoryEntry.objects.about(device).get(action="devices.device.ownership_changed")
    assert entry.data["ownership"] == ["not_set", "personal"]
    belonging.set_ownership(device=device, actor=admin.actor, ownership="personal")
    assert history_of(device).count("devices.device.ownership_changed") == 1


def test_a_supervised_phone_stays_the_companys(device, admin):
    device.is_supervised, device.ownership = True, "company"
    device.save()
    with pytest.raises(SupervisedIsCompany):
        belonging.set_ownership(device=device, actor=admin.actor, ownership="personal")
    device.refresh_from_db()
    assert device.ownership == "company"


def test_a_mac_is_supervised_whoever_owns_it(tenant, admin):
    mac = factories.device(tenant, platform="mac", is_supervised=True)
    belonging.set_ownership(device=mac, actor=admin.actor, ownership="personal")
    mac.refresh_from_db()
    assert mac.ownership == "personal"


def close(device, actor, **changes):
    words = {"confirmation": device.label, "reason": WHY} | changes
    return closing.close_order(device=device, actor=actor, **words)


@pytest.mark.parametrize("state", sorted(PENDING_ORDER))
def test_an_order_without_an_answer_is_closed_as_if_obeyed(tenant, owner, state):
    device = factories.device(tenant, state=state)
    close(device, owner.actor)
    device.refresh_from_db()
    wiped = state in (DeviceState.WIPE_PENDING, DeviceState.WIPE_SENT)
    assert device.state == (DeviceState.WIPED if wiped else DeviceState.RETIRED)
    assert history_of(device)[0] == "devices.order.closed"
    entry = HistoryEntry.objects.about(device).get(action="devices.order.closed")
    assert entry.data == {"order": "wipe" if wiped else "retire", "reason": WHY}


@pytest.mark.parametrize("state", sorted(set(DeviceState) - PENDING_ORDER))
def test_without_an_order_there_is_nothing_to_close(tenant, owner, state):
    device = factories.device(tenant, state=state)
    with pytest.raises(NoOpenOrder):
        close(device, owner.actor)
    device.refresh_from_db()
    assert device.state == state


def test_closing_wants_the_name_and_the_reason(tenant, owner):
    device = factories.device(tenant, state="wipe_sent")
    with pytest.raises(ConfirmationMismatch):
        close(device, owner.actor, confirmation="wrong")
    with pytest.raises(ReasonMissing):
        close(device, owner.actor, reason="  ")
    device.refresh_from_db()
    assert device.state == "wipe_sent"


def test_the_page_tells_the_steps_of_an_order_with_who_and_why(signed_in, owner, device):
    lifecycle.request_retire(device=device, actor=owner.actor, reason="Leaves on Friday")
    client = signed_in(owner)
    confirm(client)
    page = text(client.get(path("device-detail", device.pk)))
    assert "Close the order" in page
    client.post(
        path("devices:device-close-order", device.pk),
        {"confirmation": device.label, "reason": "Fell into the sea"},
    )
    page = text(client.get(path("device-detail", device.pk)))
    box = page[page.index("m-order") :].split("</ol>")[0]
    assert "Retire ordered" in box
    assert "Leaves on Friday" in box
    assert "Order closed without an answer" in box
    assert "Fell into the sea" in box
    assert owner.email in box


def test_a_cancelled_order_keeps_its_reason(signed_in, owner, device):
    lifecycle.request_retire(device=device, actor=owner.actor)
    signed_in(owner).post(path("devices:order-cancel", device.pk), {"reason": "Stays after all"})
    entry = HistoryEntry.objects.about(device).get(action="devices.retire.cancelled")
    assert entry.data["reason"] == "Stays after all"


@pytest.mark.parametrize("status", CommandStatus)
def test_a_command_is_taken_back_until_it_is_over(device, admin, status):
    command = factories.command(device, "DeviceLock", status=status, sealed_params=b"sealed")
    if status in ("queued", "sent", "not_now"):
        cancelling.cancel(command=command, actor=admin.actor, reason=WHY)
        command.refresh_from_db()
        assert command.status == CommandStatus.CANCELLED
        assert bytes(command.sealed_params) == b""
        assert history_of(device) == ["devices.command.cancelled"]
    else:
        with pytest.raises(CommandFinished):
            cancelling.cancel(command=command, actor=admin.actor)
        assert history_of(device) == []


def test_an_order_is_not_cancelled_as_a_command(device, admin):
    lifecycle.request_retire(device=device, actor=admin.actor)
    with pytest.raises(CommandIsOrder):
        cancelling.cancel(command=Command.objects.get(), actor=admin.actor)
    device.refresh_from_db()
    assert device.state == "retire_pending"


def test_the_commands_tab_shows_what_waits_and_pages_what_was(signed_in, admin, device):
    waiting = factories.command(device, "RestartDevice", status="queued", reason="Stuck")
    for _ in range(30):
        factories.command(device, "DeviceLock", status="acknowledged")
    client = signed_in(admin)
    first = text(client.get(path("device-detail", device.pk), {"tab": "commands"}))
    assert "Upcoming" in first
    assert "Stuck" in first
    assert "Page 1 of 2" in first
    assert path("devices:command-cancel", waiting.pk) in first
    assert first.count(">Raw<") == 26
    for odd in ("2", "99"):
        last = text(client.get(path("device-detail", device.pk), {"tab": "commands", "page": odd}))
        assert "Page 2 of 2" in last
    assert (
        client.get(path("device-detail", device.pk), {"tab": "commands", "page": "x"}).status_code
        == 200
    )


def test_cancelling_on_the_tab_leads_back_to_it(signed_in, admin, device):
    waiting = factories.command(device, "RestartDevice", status="queued")
    client = signed_in(admin)
    answer = client.post(path("devices:command-cancel", waiting.pk))
    assert "tab=commands" in answer.url
    waiting.refresh_from_db()
    assert waiting.status == "cancelled"
    again = client.post(path("devices:command-cancel", waiting.pk), follow=True)
    assert "it cannot be cancelled" in text(again)


@pytest.mark.parametrize(
    ("name", "may"),
    [
        ("command-raw", {"owner", "admin"}),
        ("command-cancel", {"owner", "admin"}),
        ("location-reveal", {"owner", "admin"}),
    ],
)
@pytest.mark.parametrize("who", ["owner", "admin", "helpdesk", "auditor"])
def test_raw_texts_cancelling_and_places_have_permissions(
    request, signed_in, device, backend, who, name, may
):
    backend.request_text = lambda command: "<plist/>"
    backend.answer_text = lambda command: ""
    command = factories.command(device, "DeviceLock", status="queued")
    client = signed_in(request.getfixturevalue(who))
    confirm(client)
    address = path(f"devices:{name}", device.pk if name == "location-reveal" else command.pk)
    answer = client.post(address) if name == "command-cancel" else client.get(address)
    assert (answer.status_code == 403) == (who not in may)


def test_commands_of_others_do_not_exist(signed_in, owner, foreign_device):
    command = factories.command(foreign_device, "DeviceLock", status="queued")
    client = signed_in(owner)
    assert client.get(path("devices:command-raw", command.pk)).status_code == 404
    assert client.post(path("devices:command-cancel", command.pk)).status_code == 404
    command.refresh_from_db()
    assert command.status == "queued"


@pytest.mark.parametrize(
    ("platform", "version", "options"),
    [
        ("iphone", "18.1", {"preserve_data_plan", "return_to_service"}),
        ("iphone", "16.7", {"preserve_data_plan"}),
        ("ipad", "", {"preserve_data_plan", "return_to_service"}),
        ("mac", "15.1", {"obliteration_behavior"}),
        ("android", "15", set()),
    ],
)
def test_a_wipe_offers_what_the_platform_knows(tenant, platform, version, options):
    device = factories.device(tenant, platform=platform, os_version=version)
    assert options_of(device) == options
    form = WipeOptionsForm({"confirmation": device.label, "reason": WHY}, device=device)
    assert form.is_valid()
    assert form.params()["options"].keys() <= options
    assert len(WipeOptionsForm(device=device).fields) == 2 + len(options)


def test_a_data_plan_is_kept_unless_somebody_says_otherwise(device):
    form = WipeOptionsForm({"reason": WHY})
    assert form.is_valid()
    assert form.params() == {
        "reason": WHY,
        "options": {"preserve_data_plan": True, "return_to_service": False},
    }


def test_a_wipe_carries_its_options(signed_in, admin, device, backend):
    seen = {}
    plain = backend.wipe

    def wipe(device, *, actor, pin, options, reason):
        seen.update(options)
        return plain(device, actor=actor, pin=pin, options=options, reason=reason)

    backend.wipe = wipe
    client = signed_in(admin)
    confirm(client)
    client.post(
        path("devices:device-wipe", device.pk),
        {"confirmation": device.label, "reason": WHY, "erase_data_plan": "on"},
    )
    assert seen == {"preserve_data_plan": False, "return_to_service": False}

from __future__ import annotations

import pytest

from core import clock, history
from devices.models import InventorySection
from devices.services import commands, entries, lifecycle
from devices.states import CommandStatus
from tests import factories
from tests.portal import path, text

pytestmark = pytest.mark.django_db


def page_of(device, **query) -> tuple[str, dict]:
    return path("device-detail", device.pk), query


def answer(device, status, **fields):
    command = factories.command(device, "DeviceLock")
    commands.record_result(
        channel=command.channel,
        command_id=command.pk,
        result=commands.Result(status=status, **fields),
    )
    return command


def test_person_and_model_come_first(signed_in, auditor, device):
    page = text(signed_in(auditor).get(*page_of(device)))
    assert "<h1>Pia&#x27;s iPhone</h1>" in page
    assert device.user.email.split("@")[0] in page or device.user.name in page
    assert "iPhone 15 Pro" in page
    assert "just now" in page


def test_other_organisations_devices_are_not_found(signed_in, owner, foreign_device):
    assert signed_in(owner).get(*page_of(foreign_device)).status_code == 404


def test_an_auditor_is_offered_no_action(signed_in, auditor, device):
    page = text(signed_in(auditor).get(*page_of(device)))
    for action in ("device-check-in", "device-lock", "device-wipe", "device-retire"):
        assert path(f"devices:{action}", device.pk) not in page


def test_requested_is_never_shown_as_done(signed_in, admin, device):
    lifecycle.request_retire(device=device, actor=admin.actor)
    page = text(signed_in(admin).get(*page_of(device)))
    assert "m-badge-pending" in page
    assert "Retire pending" in page
    assert ">Retired<" not in page
    assert ">Active<" in page


@pytest.mark.parametrize(
    ("status", "platform", "words"),
    [
        (CommandStatus.NOT_NOW, "iphone", "The device is locked and could not do it."),
        (CommandStatus.NOT_NOW, "mac", "The Mac is busy or asleep."),
    ],
)
def test_a_busy_device_is_explained(signed_in, admin, tenant, status, platform, words):
    device = factories.device(tenant, None, platform=platform)
    answer(device, status)
    page = text(signed_in(admin).get(*page_of(device)))
    assert words in page
    assert "tried again automatically" in page


def test_a_refusal_shows_what_the_device_said(signed_in, admin, device):
    error = [{"domain": "MCMDMErrorDomain", "code": 12021, "description": "<b>Unknown</b>"}]
    answer(device, CommandStatus.ERROR, error=error)
    page = text(signed_in(admin).get(*page_of(device, tab="commands")))
    assert "The device refused: &lt;b&gt;Unknown&lt;/b&gt; (MCMDMErrorDomain 12021)" in page


def test_the_story_tells_who_ordered_what(signed_in, admin, device):
    history.record(device, "devices.lock.requested", actor=admin.actor, data={"reason": "Lost"})
    page = text(signed_in(admin).get(*page_of(device)))
    assert "Lock ordered" in page
    assert "Lost" in page
    assert admin.email in page


def test_a_poll_gets_nothing_until_something_changes(signed_in, admin, device):
    client = signed_in(admin)
    seen = client.get(*page_of(device)).context["digest"]
    assert client.get(*page_of(device, seen=seen)).status_code == 204
    answer(device, CommandStatus.NOT_NOW)
    response = client.get(*page_of(device, seen=seen))
    assert response.status_code == 200
    assert response.context["digest"] != seen


def test_the_number_of_queries_does_not_grow_with_the_past(
    signed_in, admin, device, django_assert_max_num_queries
):
    for _ in range(30):
        factories.command(device, status="acknowledged", finished_at=clock.now())
        history.record(device, "devices.check_in.requested", actor=admin.actor)
    client = signed_in(admin)
    with django_assert_max_num_queries(15):
        client.get(*page_of(device))


HOSTILE = "<script>alert(1)</script>"
SECTIONS = {
    "device": {"DeviceName": HOSTILE, "BatteryLevel": "full", "DeviceCapacity": None},
    "security": {"PasscodePresent": True, "FirewallSettings": [HOSTILE], "SecureBoot": None},
    "applications": {"items": [{"Name": HOSTILE, "BundleSize": -1}, "odd", None], "total": 9},
    "profiles": {"items": [{"PayloadDisplayName": HOSTILE, "IsManaged": True}]},
    "certificates": {"items": [{"CommonName": HOSTILE, "NotAfter": "not a date"}]},
}


@pytest.mark.parametrize("kind", SECTIONS)
def test_whatever_a_device_tells_is_shown_as_text(signed_in, auditor, device, kind):
    InventorySection.objects.create(
        device=device, kind=kind, data=SECTIONS[kind], collected_at=clock.now()
    )
    page = text(signed_in(auditor).get(*page_of(device, tab=kind)))
    assert HOSTILE not in page
    assert ("&lt;script&gt;" in page) or kind == "security"


@pytest.mark.parametrize("kind", [*SECTIONS, "commands", "entries", "nonsense"])
def test_every_tab_has_something_to_say_when_empty(signed_in, auditor, device, kind):
    assert signed_in(auditor).get(*page_of(device, tab=kind)).status_code == 200


def test_an_earlier_enrollment_leads_to_the_newer_one(signed_in, admin, device, tenant):
    newer = entries.open_entry(
        tenant=tenant,
        key=device.physical.key,
        platform="iphone",
        channel_kind="apple",
        user=device.user,
        session_id=device.session_id,
        facts=entries.Facts(name="Pia's iPhone", serial=device.serial),
        device_limit=None,
    )
    client = signed_in(admin)
    assert path("device-detail", newer.pk) in text(client.get(*page_of(device)))
    assert path("device-detail", device.pk) in text(client.get(*page_of(newer, tab="entries")))

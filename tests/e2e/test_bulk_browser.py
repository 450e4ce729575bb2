"""Orders to many devices in a browser: 500 entries, a reload in the middle, two administrators."""

from __future__ import annotations

import re

import pytest

from devices.models import Command, Device, Hold, Operation
from devices.services import operation_work, safeguards
from devices.states import CommandStatus
from tests import factories
from tests.bulk.world import fleet, limit, work_off
from tests.e2e.test_pages_axe import sign_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
DESK = {"viewport": {"width": 1280, "height": 900}}


@pytest.fixture
def second(tenant):
    return factories.user(tenant, "administrator", email="zoe.second@acme.test", first_name="Zoe")


@pytest.fixture
def open_as(new_context, live_server, settings):
    """Open a page as somebody who has just signed in, in a context of their own."""
    from django.test import Client

    settings.MUSTER_REQUIRE_ADMIN_MFA = False

    def open_page(user, **options):
        context = new_context(**(DESK | options))
        sign_in(context, live_server, Client(), user)
        return context.new_page()

    return open_page


def some_batches(operation, number=8) -> None:
    for _ in range(number):
        operation_work._work_batch(Operation.objects.get(pk=operation.pk))


def test_five_hundred_devices_and_a_reload_in_the_middle(open_as, live_server, admin, tenant):
    fleet(tenant, 500)
    page = open_as(admin)
    page.goto(f"{live_server.url}/devices/?platform=iphone")
    bar = page.locator("[data-bulk-bar]")
    assert bar.is_hidden()
    page.locator("[data-all-rows]").check()
    assert page.locator("[data-count]").inner_text() == "25"
    page.get_by_label("Select all 500 that match").check()
    assert page.locator("[data-count]").inner_text() == "500"
    page.select_option("#bulk-action", "lock")
    bar.locator("button").click()
    page.wait_for_url("**/operations/new/**")
    assert page.locator("dd b.m-num").first.inner_text() == "500"
    page.get_by_label("Message on the lock screen").fill("Call the help desk")
    page.get_by_role("button", name="Lock 500").click()
    page.wait_for_url(re.compile(r"/operations/[0-9a-f-]{36}/$"))
    status = page.locator("#live-operation [role=status]")
    assert "0 ordered" in status.inner_text()
    assert "500 not started" in status.inner_text()
    operation = Operation.objects.get()
    some_batches(operation)
    # The page follows by itself, and says the same after a reload.
    page.get_by_text("200 ordered").wait_for(timeout=15_000)
    page.reload()
    assert "200 ordered" in status.inner_text()
    assert "300 not started" in status.inner_text()
    page.get_by_role("button", name="Pause live updates").click()
    assert page.locator("button[data-pause]").get_attribute("aria-pressed") == "true"
    page.get_by_role("button", name="Go on with live updates").click()
    work_off(operation)
    page.get_by_text("500 ordered").wait_for(timeout=15_000)
    assert Command.objects.count() == 500
    # Three of them refuse; only these are tried again.
    refused = list(Command.objects.order_by("pk").values_list("pk", flat=True)[:3])
    Command.objects.filter(pk__in=refused).update(
        status=CommandStatus.ERROR, error=[{"description": "No passcode", "code": 12}]
    )
    page.reload()
    with page.expect_download() as download:
        page.get_by_role("link", name="Failures as CSV").click()
    lines = download.value.path().read_text("utf-8-sig").splitlines()
    assert len(lines) == 4
    assert "No passcode" in lines[1]
    page.get_by_role("button", name="Try the 3 failed ones again").click()
    page.get_by_role("heading", name="Lock, 3 devices").wait_for()
    again = Operation.objects.exclude(pk=operation.pk).get()
    assert again.total == 3
    work_off(again)
    page.get_by_text("3 ordered").wait_for(timeout=15_000)


def test_cancel_says_how_many_were_not_reached(open_as, live_server, admin, tenant):
    fleet(tenant, 60)
    page = open_as(admin)
    page.goto(f"{live_server.url}/operations/new/?action=lock&all=1&query=")
    page.get_by_role("button", name="Lock 60").click()
    page.wait_for_url(re.compile(r"/operations/[0-9a-f-]{36}/$"))
    page.get_by_role("button", name="Cancel what has not left").click()
    page.get_by_text("60 devices were not reached").wait_for()
    assert work_off(Operation.objects.get()).done_count == 0


def test_two_administrators_and_a_held_wipe(open_as, live_server, admin, second, tenant):
    devices = fleet(tenant, 12)
    limit(tenant, 50)
    asker, approver = open_as(admin), open_as(second)
    asker.goto(f"{live_server.url}/operations/new/?action=wipe&all=1&query=")
    assert asker.evaluate("document.activeElement.tagName") != "BUTTON"
    asker.get_by_label("Reason").fill("Stolen from the van")
    asker.get_by_label("Type the order").fill("OK")
    asker.get_by_role("button", name="Wipe 12").click()
    asker.locator("[data-error-summary]").first.wait_for()
    assert not Operation.objects.exists()
    asker.get_by_label("Type the order").fill("Wipe 12")
    asker.get_by_role("button", name="Wipe 12").click()
    asker.get_by_text("Waits for a second administrator.").wait_for()
    asker.get_by_text("Can approve it: Zoe.").wait_for()
    asker.get_by_role("link", name="Look at it and decide").click()
    asker.get_by_text("You ordered this yourself").wait_for()
    assert asker.get_by_role("link", name="Approve…").count() == 0
    held = asker.url
    approver.goto(held)
    approver.get_by_text("Stolen from the van").wait_for()
    assert approver.locator("tbody tr").count() == 12
    approver.get_by_role("link", name="Approve…").click()
    approver.get_by_role("button", name="Approve").click()
    approver.get_by_text("Approved. Whoever ordered it").wait_for()
    operation = Operation.objects.get()
    asker.goto(f"{live_server.url}/operations/{operation.pk}/")
    work_off(operation)
    asker.get_by_text("12 ordered").wait_for(timeout=15_000)
    assert Hold.objects.get().decided_by["label"] == second.email
    assert (
        Device.objects.filter(pk__in=[row.pk for row in devices], state="wipe_pending").count()
        == 12
    )
    asker.goto(f"{live_server.url}/operations/wipes/")
    assert asker.get_by_text(second.email).count() == 12


def test_the_freeze_is_seen_on_every_page(open_as, live_server, owner, tenant):
    page = open_as(owner)
    page.goto(f"{live_server.url}/settings/protection/")
    page.get_by_role("link", name="Freeze…").click()
    page.get_by_label("Reason").fill("Break-in")
    page.get_by_role("button", name="Freeze now").click()
    page.get_by_role("region", name="Emergency freeze").first.wait_for()
    for where in ("/", "/devices/", "/history/", "/settings/organisation/"):
        page.goto(live_server.url + where)
        assert page.get_by_text("Break-in").first.is_visible()
    page.goto(f"{live_server.url}/settings/protection/lift/")
    page.get_by_label("Reason").fill("False alarm")
    page.get_by_role("button", name="Lift the freeze").click()
    page.get_by_text("The freeze is lifted").wait_for()
    assert not safeguards.of(tenant.pk).is_frozen


def test_it_works_without_javascript(open_as, live_server, admin, tenant):
    fleet(tenant, 3)
    page = open_as(admin, java_script_enabled=False)
    page.goto(f"{live_server.url}/devices/")
    for box in page.locator("[data-row]").all()[:2]:
        box.check()
    page.select_option("#bulk-action", "lock")
    page.locator("[data-bulk-bar] button").click()
    page.get_by_role("button", name="Lock 2").click()
    assert "Lock, 2 devices" in page.locator("h1").inner_text()
    work_off(Operation.objects.get())
    page.reload()
    assert "2 ordered" in page.locator("[role=status]").first.inner_text()

"""The command palette in Chromium: opened, walked and left by keyboard."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests import factories
from tests.e2e.test_pages_axe import check, sign_in
from tests.portal import path

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_device_is_opened_without_the_mouse(new_context, live_server, client, owner, settings):
    settings.MUSTER_REQUIRE_ADMIN_MFA = False
    device = factories.device(owner.tenant, owner, name="Blue phone")
    context = new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    sign_in(context, live_server, client, owner)
    page = context.new_page()
    page.goto(live_server.url + path("history-list"))
    page.keyboard.press("Control+k")
    field = page.get_by_role("dialog").get_by_role("searchbox")
    field.wait_for()
    assert field.evaluate("element => element === document.activeElement")
    found = check(page, Axe())
    field.type("blue ph")
    hit = page.get_by_role("dialog").get_by_role("link", name="Blue phone")
    hit.wait_for()
    page.keyboard.press("ArrowDown")
    assert hit.evaluate("element => element === document.activeElement")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{path('device-detail', device.pk)}")
    page.keyboard.press("Control+k")
    page.get_by_role("dialog").wait_for()
    page.keyboard.press("Escape")
    assert not page.get_by_role("dialog").is_visible()
    assert not found, "\n".join(found)


def test_views_columns_and_the_file_in_a_browser(new_context, live_server, client, owner, settings):
    settings.MUSTER_REQUIRE_ADMIN_MFA = False
    factories.device(owner.tenant, owner, name="Blue phone")
    context = new_context(viewport={"width": 320, "height": 800}, reduced_motion="reduce")
    sign_in(context, live_server, client, owner)
    page = context.new_page()
    page.goto(live_server.url + path("devices:device-list"))
    page.locator("summary", has_text="Columns").click()
    page.get_by_label("Identifier").check()
    found = check(page, Axe())
    page.get_by_role("button", name="Apply").click()
    page.wait_for_url("**col=identifier**")
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    assert download.value.path().read_bytes().startswith(b"\xef\xbb\xbfDevice,")
    page.locator("summary", has_text="Views").click()
    page.get_by_role("link", name="Save this view").click()
    page.locator("[name=name]").wait_for()
    found += check(page, Axe())
    page.fill("[name=name]", "With identifier")
    page.get_by_label("begin with it").check()
    page.get_by_role("button", name="Save").click()
    page.goto(live_server.url + path("devices:device-list"))
    assert "col=identifier" in page.url
    assert not found, "\n".join(found)

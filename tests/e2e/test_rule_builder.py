"""The rule of a group in a browser: built with and without JavaScript, and by keyboard."""

from __future__ import annotations

import pytest

from devices.models import DeviceGroup
from tests import factories
from tests.e2e.test_pages_axe import sign_in
from tests.portal import path

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def open_page(new_context, live_server, client, owner, tenant, settings):
    settings.MUSTER_REQUIRE_ADMIN_MFA = False
    factories.device(tenant, None, name="Lobby Mac", platform="mac")
    factories.device(tenant, None, name="Lobby phone")

    def go(**options):
        context = new_context(viewport={"width": 1280, "height": 900}, **options)
        sign_in(context, live_server, client, owner)
        page = context.new_page()
        page.goto(live_server.url + path("device-group-new-rule"))
        return page

    return go


def test_a_rule_is_built_by_keyboard_with_a_live_preview(open_page):
    page = open_page()
    page.fill("[name=name]", "Lobby Macs")
    page.fill("[name=rule-0-value]", "lobby")
    page.select_option("[name=rule-0-operator]", "contains")
    page.locator("#preview .m-stat-value").get_by_text("2").wait_for()
    page.get_by_role("button", name="Add a condition").click()
    fields = page.get_by_role("combobox", name="What is looked at")
    fields.nth(1).wait_for()
    page.wait_for_load_state("networkidle")
    fields.nth(1).focus()
    page.keyboard.type("platf")
    page.get_by_role("option", name="Platform").wait_for()
    page.wait_for_load_state("networkidle")
    page.keyboard.press("Enter")
    values = page.locator("select[name=rule-1-value]")
    values.wait_for(timeout=30_000)
    assert fields.nth(1).input_value() == "Platform"
    values.select_option("mac")
    page.locator("#preview .m-stat-value").get_by_text("1").wait_for()
    assert page.input_value("[name=name]") == "Lobby Macs"
    page.get_by_role("button", name="Make the group").last.click()
    page.wait_for_url("**/devices/groups/*-*/")
    assert len(DeviceGroup.objects.get(name="Lobby Macs").rule["rules"]) == 2


def test_the_combobox_follows_the_keyboard_pattern(open_page):
    page = open_page()
    box = page.get_by_role("combobox", name="What is looked at")
    box.focus()
    assert box.get_attribute("aria-expanded") == "false"
    page.keyboard.press("ArrowDown")
    assert box.get_attribute("aria-expanded") == "true"
    page.keyboard.press("End")
    last = box.get_attribute("aria-activedescendant")
    page.keyboard.press("Home")
    first = box.get_attribute("aria-activedescendant")
    assert first != last
    page.keyboard.press("ArrowUp")
    assert box.get_attribute("aria-activedescendant") == last
    page.keyboard.press("Escape")
    assert box.get_attribute("aria-expanded") == "false"
    assert box.input_value() == "Name of the device"
    page.keyboard.type("nothing like this")
    page.keyboard.press("Tab")
    assert box.input_value() == "Name of the device"
    assert page.locator("select[name=rule-0-field]").input_value() == "name"


def test_a_rule_is_built_without_javascript(open_page):
    page = open_page(java_script_enabled=False)
    page.fill("[name=name]", "Hall")
    page.select_option("[name=rule-0-field]", "platform")
    page.get_by_role("button", name="Show who fits").click()
    page.select_option("[name=rule-0-value]", "mac")
    page.get_by_role("button", name="Show who fits").click()
    assert page.locator("#preview .m-stat-value").inner_text() == "1"
    page.get_by_role("button", name="Add a part of its own").click()
    page.fill("[name=rule-1-0-value]", "lobby")
    assert page.input_value("[name=name]") == "Hall"
    page.press("[name=rule-1-0-value]", "Enter")
    page.wait_for_url("**/devices/groups/*-*/")
    assert DeviceGroup.objects.get().rule["rules"][1]["match"] == "any"

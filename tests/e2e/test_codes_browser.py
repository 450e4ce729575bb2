"""A code on a screen, read by a decoder that is not ours, and scanned by a simulated phone."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe

from simulator import registration
from simulator.browser import Browser
from tests import qr_reader
from tests.e2e.test_pages_axe import OPTIONS
from tests.enrollment.conftest import IPHONE

pytestmark = [pytest.mark.browser, pytest.mark.zbar]


def show_code(page, url, person, words):
    page.goto(f"{url}/go")
    page.get_by_text(words["open"], exact=True).click()
    page.get_by_role("button", name=words["confirm"]).click()
    page.locator("input[name=email]").fill(person.email)
    page.locator("input[name=password]").fill(person.password)
    page.get_by_role("button", name=words["continue"]).click()
    page.get_by_role("button", name=words["show"]).click()
    page.locator(".m-qr").wait_for()


def check(page):
    found = Axe().run(page, options=OPTIONS)
    assert not found.response["violations"], found.generate_report()


ENGLISH = {
    "open": "Type nothing on the phone",
    "confirm": "Confirm here",
    "continue": "Continue",
    "show": "Show the code",
}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_scans_the_screen_of_a_computer_and_gets_active(
    field, server, settled, new_context, tmp_path, scheme
):
    context = new_context(
        viewport={"width": 1100, "height": 1200}, color_scheme=scheme, locale="en-GB"
    )
    page = context.new_page()
    show_code(page, server.url, settled, ENGLISH)
    tile = page.locator(".m-qr svg")
    assert tile.bounding_box()["width"] >= 256
    assert tile.get_attribute("aria-label")
    page.screenshot(path=tmp_path / "screen.png")
    [said] = qr_reader.read(tmp_path / "screen.png")
    assert said.startswith(f"{server.url}/go/q/")
    assert settled.email not in said
    assert page.locator("code", has_text="/go/q/").inner_text() == said
    check(page)
    scanned = new_context(
        viewport={"width": 390, "height": 844}, color_scheme=scheme, user_agent=IPHONE
    ).new_page()
    scanned.goto(said)
    scanned.get_by_role("button", name="Continue").wait_for()
    check(scanned)

    device = field.device()
    phone = Browser(device.http, kind=device.kind)
    registration.register(phone, said)
    device.install(phone.download().content)
    assert field.state(device) == "active"
    page.get_by_text("Your code was used by an iPhone").wait_for(timeout=20_000)
    page.get_by_text("That device is registered.").wait_for()
    check(page)
    scanned.reload()
    scanned.get_by_role("heading", name="This code was used already").wait_for()
    check(scanned)
    page.get_by_role("button", name="That was not me: end it").click()
    page.get_by_text("You said that it was somebody else").wait_for()
    device.poll()
    assert not device.is_managed


def test_a_small_window_still_shows_it_readably(server, settled, new_context, tmp_path):
    context = new_context(viewport={"width": 320, "height": 900}, locale="en-GB")
    page = context.new_page()
    show_code(page, server.url, settled, ENGLISH)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.locator(".m-qr").screenshot(path=tmp_path / "tile.png")
    assert len(qr_reader.read(tmp_path / "tile.png")) == 1

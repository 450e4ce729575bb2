"""The push pages in Chromium: every state, small and large, light and dark."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings as django_settings

from apple.services import push_certificate, push_health
from tests.apple.push_world import OTHER_TOPIC, channel, install, issued
from tests.portal import confirm, path

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SIZES = (320, 1280)
# Colours change within a frame; what is measured before it would be those of the other scheme.
TWO_FRAMES = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
# For whoever wants to look at the pages: a folder for screenshots.
SHOTS = os.environ.get("PAGE_SHOTS", "")


@pytest.fixture
def visit(live_server, signed_in, owner, new_context):
    """Open a page as the owner, with a recent sign-in."""
    client = signed_in(owner)
    confirm(client)
    cookie = {
        "name": django_settings.SESSION_COOKIE_NAME,
        "value": client.cookies[django_settings.SESSION_COOKIE_NAME].value,
        "url": live_server.url,
    }

    def open_page(address, **options):
        context = new_context(**options)
        context.add_cookies([cookie])
        page = context.new_page()
        page.goto(live_server.url + address)
        return page

    return open_page


def check(visit, address, name):
    """Run axe in light, and again in dark with the rules that colours can break."""
    for width in SIZES:
        page = visit(address, viewport={"width": width, "height": 900}, reduced_motion="reduce")
        assert_no_barrier(page, {"type": "tag", "values": RULES})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        page.emulate_media(color_scheme="dark")
        page.evaluate(TWO_FRAMES)
        assert_no_barrier(page, {"type": "rule", "values": ["color-contrast"]})
        if SHOTS:
            Path(SHOTS).mkdir(parents=True, exist_ok=True)
            page.screenshot(path=f"{SHOTS}/{name}-{width}.png", full_page=True)


def assert_no_barrier(page, only):
    found = Axe().run(page, options={"runOnly": only, "resultTypes": ["violations"]})
    assert found.violations_count == 0, found.generate_report()


def test_a_server_without_a_certificate(visit, tenant):
    check(visit, path("settings-push"), "push-none")


def test_a_request_that_is_out(visit, tenant, owner):
    push_certificate.request(tenant=tenant, actor=owner.actor)
    check(visit, path("settings-push"), "push-requested")


def test_a_certificate_that_apple_refuses_beside_an_older_one(visit, tenant, authority):
    install(tenant, issued(authority, OTHER_TOPIC), topic=OTHER_TOPIC)
    row = install(tenant, issued(authority))
    channel(tenant, 1)
    push_health.pause(row_id=row.pk, status=403, reason="Forbidden")
    check(visit, path("settings-push"), "push-paused")


def test_the_upload_with_its_errors(visit, tenant):
    page = visit(path("settings-push-upload"))
    page.get_by_role("button", name="Install").click()
    page.wait_for_selector("[data-error-summary]")
    assert_no_barrier(page, {"type": "tag", "values": RULES})
    check(visit, path("settings-push-upload"), "push-upload")


def test_the_documentation_of_the_api_is_drawn_under_our_policy(visit, tenant):
    """Its script runs, and the watch of the browser sees no breach of the policy."""
    page = visit("/api/docs/")
    page.locator("#operations-tag-devices").click(timeout=30_000)
    page.get_by_text("/api/v1/devices/", exact=True).first.wait_for(timeout=30_000)
    assert page.locator(".opblock-tag-section").count() > 10

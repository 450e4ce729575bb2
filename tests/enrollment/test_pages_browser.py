"""U-36 to U-48 in Chromium: every registration page, small and large, light and dark."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings as django_settings

from core import clock
from enrollment.models import EnrollmentSession, SessionStage, StoppedReason
from enrollment.services import profiles, sessions
from tests import factories
from tests.enrollment import scenes
from tests.enrollment.conftest import IPHONE, MAC, PASSWORD
from tests.enrollment.scenes import ACTOR, SCENES, Scene

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SIZES = {"narrow": {"width": 320, "height": 640}, "wide": {"width": 1280, "height": 900}}
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# For whoever wants to look at the pages: a folder for screenshots.
SHOTS = os.environ.get("PAGE_SHOTS", "")
MAX_BYTES = 100 * 1024
SMALL_TARGETS = """() => [...document.querySelectorAll('a, button, summary, input')]
  .filter(one => one.type !== 'hidden')
  .filter(one => one.checkVisibility() && !one.matches('.g-skip, .g-hidden'))
  .map(one => [one.outerHTML.slice(0, 80), one.getBoundingClientRect().height])
  .filter(([, height]) => height < 44)"""


@pytest.fixture
def stage(tenant, admin, platform, live_server, settings, new_context):
    """Open a scene in a browser and return its page."""
    settings.MUSTER_PUBLIC_URL = live_server.url
    tenant.admin = admin

    def open_scene(scene: Scene, **options):
        context = new_context(user_agent=scene.agent, **options)
        if scene.cookie:
            cookie = {"name": django_settings.GO_COOKIE_NAME, "value": scene.cookie}
            context.add_cookies([cookie | {"url": live_server.url}])
        page = context.new_page()
        page.goto(f"{live_server.url}{scene.path}")
        return page

    return open_scene


@pytest.mark.parametrize("name", SCENES)
def test_every_page_is_accessible_and_fits(name, tenant, stage):
    page = stage(SCENES[name](tenant))
    for size, viewport in SIZES.items():
        page.set_viewport_size(viewport)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            found = Axe().run(page, options={"runOnly": {"type": "tag", "values": RULES}})
            assert found.violations_count == 0, found.generate_report()
            if SHOTS:
                Path(SHOTS).mkdir(parents=True, exist_ok=True)
                page.screenshot(path=f"{SHOTS}/{name}-{size}-{scheme}.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    assert page.evaluate(SMALL_TARGETS) == []
    assert page.locator("h1").count() == 1
    page.set_viewport_size(SIZES["narrow"])
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    # French is a third longer.
    french = {"name": django_settings.LANGUAGE_COOKIE_NAME, "value": "fr", "url": page.url}
    page.context.add_cookies([french])
    page.reload()
    assert page.locator("html").get_attribute("lang") == "fr"
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/{name}-french.png", full_page=True)


@pytest.mark.parametrize("name", ["install_iphone", "wrong_device", "profile"])
def test_a_page_is_light_enough_for_a_slow_network(name, tenant, stage):
    page = stage(SCENES[name](tenant))
    sizes = []
    page.on("response", lambda answer: sizes.append(len(answer.body())))
    page.reload(wait_until="networkidle")
    assert len(sizes) >= 3
    assert sum(sizes) < MAX_BYTES


@pytest.mark.parametrize("script", [True, False])
def test_the_whole_way_to_the_download_works_with_and_without_script(
    script, tenant, stage, mails, admin
):
    from enrollment.services import invitations

    invitations.invite(tenant=tenant, emails=["pia@acme.test"], actor=ACTOR, sender=admin)
    [letter] = mails()
    page = stage(Scene(letter.link, IPHONE), java_script_enabled=script, accept_downloads=True)
    page.get_by_role("button", name="Begin").click()
    page.get_by_role("textbox", name="PIN").fill(letter.pin)
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("New password").fill(PASSWORD)
    page.get_by_label("The same password again").fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="I understand, get the profile").click()
    with page.expect_download() as found:
        page.get_by_role("link", name="Download profile").click()
    assert found.value.suggested_filename == "a.mobileconfig"
    assert EnrollmentSession.objects.get().stage == SessionStage.DOWNLOADED


def test_a_touch_screen_tells_an_ipad_from_a_mac(tenant, stage):
    scene = scenes.start(tenant)
    page = stage(Scene(scene.path, MAC))
    page.add_init_script("Object.defineProperty(navigator, 'maxTouchPoints', {get: () => 5})")
    page.reload()
    page.get_by_role("button", name="Begin").click()
    page.wait_for_selector('[data-step="pin"]')
    assert EnrollmentSession.objects.get().platform == "ipad"


def test_the_page_notices_by_itself_how_far_the_device_has_come(tenant, stage):
    page = stage(scenes.install_iphone(tenant))
    session = EnrollmentSession.objects.get()
    assert "Waiting for you to download" in page.locator("[data-status-text]").inner_text()
    profiles.download(token=profiles.link_token(profiles.current(session)))
    page.get_by_text("The profile is on its way").wait_for()
    left = page.locator("[data-left]").inner_text()
    assert left.startswith(("7:5", "8:00"))
    device = factories.device(tenant, session.user, name="Pia's iPhone")
    sessions.record(session, SessionStage.ACTIVE, actor=ACTOR, device=device)
    page.get_by_role("heading", name="You're done").wait_for()
    assert "Pia's iPhone" in page.locator("main").inner_text()


def test_a_refused_challenge_turns_the_open_page_into_a_new_start(tenant, stage):
    page = stage(scenes.install_downloaded(tenant), accept_downloads=True)
    session = EnrollmentSession.objects.get()
    sessions.refuse(session, StoppedReason.CHALLENGE_EXPIRED, actor=ACTOR)
    page.get_by_role("heading", name="Download the profile again").wait_for()
    assert "too old: download it again" in page.locator("main").inner_text()
    # One tap: the new profile begins to download by itself.
    with page.expect_download():
        page.get_by_role("button", name="Get a new profile").click()
    assert "fresh" not in page.url


def test_the_countdown_runs_out_on_the_page(tenant, stage):
    scene = scenes.install_iphone(tenant)
    page = stage(Scene("/go", IPHONE))
    page.clock.install(time=clock.now())
    cookie = {"name": django_settings.GO_COOKIE_NAME, "value": scene.cookie}
    page.context.add_cookies([cookie | {"url": page.url}])
    page.goto(page.url.replace("/go", scene.path))
    left = page.locator("[data-left]")
    page.clock.run_for(60_000)
    assert left.inner_text().startswith("8:5")
    page.clock.run_for(dt.timedelta(minutes=8).total_seconds() * 1000)
    assert left.inner_text().startswith("0:5")


def test_errors_are_announced_and_go_when_corrected(tenant, stage):
    page = stage(scenes.pin(tenant))
    page.get_by_role("textbox", name="PIN").fill("12")
    page.get_by_role("button", name="Continue").click()
    summary = page.locator("[data-error-summary]")
    summary.wait_for()
    assert page.title().startswith("Error:")
    page.wait_for_function("document.activeElement.hasAttribute('data-error-summary')")
    assert page.get_by_role("textbox", name="PIN").input_value() == "12"
    page.get_by_role("textbox", name="PIN").press_sequentially("345678")
    assert page.locator(".g-field [data-error]").count() == 0


def test_the_address_can_be_copied(tenant, stage):
    page = stage(scenes.wrong_device(tenant))
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy address").click()
    page.get_by_text("Copied").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.locator("code").inner_text()
    box = page.locator(".m-qr svg").bounding_box()
    assert min(box["width"], box["height"]) >= 256
    page.set_viewport_size(SIZES["narrow"])
    assert page.locator(".m-qr svg").bounding_box()["width"] >= 250

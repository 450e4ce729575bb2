"""U-36 to U-48 in Chromium: every registration page, small and large, light and dark."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings as django_settings

from tests.enrollment.scenes import SCENES, Scene

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SIZES = {"narrow": {"width": 320, "height": 640}, "wide": {"width": 1280, "height": 900}}
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# For whoever wants to look at the pages: a folder for screenshots.
SHOTS = os.environ.get("PAGE_SHOTS", "")
MAX_BYTES = 100 * 1024


@pytest.fixture
def stage(tenant, admin, platform, live_server, settings, new_context):
    """Open a scene in a browser and return its page."""
    settings.MUSTER_PUBLIC_URL = live_server.url
    tenant.admin = admin

    def open_scene(scene: Scene, **options):
        context = new_context(user_agent=scene.agent, **options)
        if scene.cookie:
            context.add_cookies(
                [
                    {
                        "name": django_settings.GO_COOKIE_NAME,
                        "value": scene.cookie,
                        "url": live_server.url,
                    }
                ]
            )
        page = context.new_page()
        page.goto(f"{live_server.url}{scene.path}")
        return page

    return open_scene


@pytest.mark.parametrize("name", SCENES)
def test_every_page_is_accessible_and_fits(name, tenant, stage):
    scene = None
    for size, viewport in SIZES.items():
        for scheme in ("light", "dark"):
            scene = scene or SCENES[name](tenant)
            page = stage(scene, viewport=viewport, color_scheme=scheme)
            found = Axe().run(page, options={"runOnly": {"type": "tag", "values": RULES}})
            assert found.violations_count == 0, found.generate_report()
            width = page.evaluate("document.documentElement.scrollWidth")
            assert width <= viewport["width"], f"{name} is {width} px wide at {size}"
            if SHOTS:
                Path(SHOTS).mkdir(parents=True, exist_ok=True)
                page.screenshot(path=f"{SHOTS}/{name}-{size}-{scheme}.png", full_page=True)
            page.context.close()

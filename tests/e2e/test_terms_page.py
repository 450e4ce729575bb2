"""The terms on the registration page, on a phone's width and on a desk."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings as django_settings

from accounts.services import terms
from enrollment.services import registration
from tests import factories
from tests.e2e.test_pages_axe import check
from tests.enrollment.conftest import ADMIN, IPHONE

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("width", [320, 1280])
def test_long_terms_are_read_and_accepted(new_context, live_server, tenant, width):
    user = factories.user(tenant)
    terms.publish(tenant=tenant, title="Terms", text="Be kind.\n\n" * 200, actor=ADMIN)
    browser = registration.Browser(ip="127.0.0.1", platform="iphone")
    cookie = registration.enter_confirmed(user=user, browser=browser).cookie
    context = new_context(viewport={"width": width, "height": 640}, user_agent=IPHONE)
    name = django_settings.GO_COOKIE_NAME
    context.add_cookies([{"name": name, "value": cookie, "url": live_server.url}])
    page = context.new_page()
    assert check(page, Axe(), f"{live_server.url}/go") == []
    # The long text scrolls by itself: what has to be done is in reach.
    assert page.locator("[data-step=terms] button").bounding_box()["y"] < 1200
    page.locator("[name=accepted]").check()
    page.locator("[data-step=terms] button").click()
    page.wait_for_load_state()
    assert terms.due(user) is None

"""Ticking people in their list and inviting them, with and without JavaScript."""

from __future__ import annotations

import pytest

from tests import factories
from tests.e2e.test_pages_axe import sign_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def people(tenant, owner, settings):
    settings.MUSTER_REQUIRE_ADMIN_MFA = False
    return [factories.user(tenant, email=f"{name}@acme.test") for name in ("ada", "bob")]


def test_the_bar_counts_what_is_ticked_and_leads_to_the_form(
    new_context, live_server, client, owner, people
):
    context = new_context(viewport={"width": 1280, "height": 800})
    sign_in(context, live_server, client, owner)
    page = context.new_page()
    page.goto(f"{live_server.url}/users/")
    bar = page.locator("[data-bulk-bar]")
    assert bar.is_hidden()
    page.locator("[data-all-rows]").check()
    assert page.locator("[data-count]").inner_text() == "3"
    page.locator(f'[data-row][value="{owner.pk}"]').uncheck()
    assert page.locator("[data-count]").inner_text() == "2"
    bar.get_by_role("button", name="Invite").click()
    page.wait_for_url("**/invitations/new/**")
    assert page.locator("[name=emails]").input_value().split() == ["ada@acme.test", "bob@acme.test"]


def test_it_works_without_javascript(new_context, live_server, client, owner, people):
    context = new_context(java_script_enabled=False)
    sign_in(context, live_server, client, owner)
    page = context.new_page()
    page.goto(f"{live_server.url}/users/")
    page.locator(f'[data-row][value="{people[0].pk}"]').check()
    page.locator("[data-bulk-bar]").get_by_role("button", name="Invite").click()
    assert page.locator("[name=emails]").input_value() == "ada@acme.test"

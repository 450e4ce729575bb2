"""Every page in a real browser, with names that attack: nothing runs, nothing breaks the policy.

The fixture that opens the browser fails the test on a dialog, a script error, a breach of the
content security policy, or a request to anywhere else.
"""

from __future__ import annotations

import pytest
from django.conf import settings as django_settings

from tests.enrollment.conftest import SigningPlatform
from tests.enrollment.scenes import SCENES
from tests.portal import confirm
from tests.trust.hostile import NAME, HostileWorld

# The others are read as text, in test_injection.
IN_A_BROWSER = ("start", "wrong_device", "pin", "install_iphone", "done")
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def platform(monkeypatch):
    from enrollment import platforms

    backend = SigningPlatform()
    monkeypatch.setattr(platforms, "_backends", dict.fromkeys(backend.platforms, backend))


def cookie(name: str, value: str, url: str) -> dict[str, str]:
    return {"name": name, "value": value, "url": url}


def is_a_page(answer) -> bool:
    return bool(answer.content) and answer.headers.get("Content-Type", "").startswith("text/html")


def ran(page) -> int:
    """Count what only a script in a name could have added."""
    return page.evaluate("document.querySelectorAll('svg[onload], img[onerror]').length")


def test_no_page_of_the_portal_runs_a_name(tenant, live_server, signed_in, new_context):
    world = HostileWorld(tenant)
    client = signed_in(world.owner)
    confirm(client)
    session = client.cookies[django_settings.SESSION_COOKIE_NAME].value
    context = new_context(viewport={"width": 1280, "height": 900})
    context.add_cookies([cookie(django_settings.SESSION_COOKIE_NAME, session, live_server.url)])
    page, shown = context.new_page(), 0
    for path in world.pages():
        if not is_a_page(client.get(path)):
            continue
        answer = page.goto(f"{live_server.url}{path}", wait_until="domcontentloaded")
        assert answer is not None
        assert answer.status < 500, path
        assert ran(page) == 0, path
        shown += "<svg onload" in page.inner_text("body")
    assert shown > 20


def test_no_registration_page_runs_a_name(
    tenant, admin, platform, live_server, settings, new_context
):
    settings.MUSTER_PUBLIC_URL = live_server.url
    type(tenant).objects.filter(pk=tenant.pk).update(name=NAME[:100], help_contact=NAME[:200])
    type(admin).objects.filter(pk=admin.pk).update(first_name=NAME[:80])
    tenant.refresh_from_db()
    admin.refresh_from_db()
    tenant.admin = admin
    for name in IN_A_BROWSER:
        scene = SCENES[name](tenant)
        context = new_context(user_agent=scene.agent)
        if scene.cookie:
            context.add_cookies(
                [cookie(django_settings.GO_COOKIE_NAME, scene.cookie, live_server.url)]
            )
        page = context.new_page()
        joint = "&" if "?" in scene.path else "?"
        answer = page.goto(f"{live_server.url}{scene.path}{joint}device={NAME}&sent={NAME}")
        assert answer is not None
        assert answer.status < 500, name
        assert ran(page) == 0, name
        assert "<svg onload" in page.inner_text("body"), name
        context.close()

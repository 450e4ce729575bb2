"""The self-service portal in Chromium: barriers, passkeys, a life without scripts."""

from __future__ import annotations

import gzip

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings as django_settings

from devices.services import lifecycle, self_service
from enrollment.services import push_addresses, registration
from tests import factories
from tests.e2e.test_pages_axe import SIZES, check
from tests.e2e.test_pages_axe import sign_in as sign_in_portal
from tests.enrollment.conftest import IPHONE, platform
from tests.fakes.web_push import Browser as WebPushBrowser
from tests.portal import me, path, sign_in_me

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
__all__ = ["platform"]
MAX_BYTES = 100_000


@pytest.fixture
def person(tenant):
    return factories.user(
        tenant, email="pia.person@acme.test", first_name="Pia", last_name="Pereira"
    )


@pytest.fixture
def world(tenant, person, platform):
    """A phone, a Mac that is being retired, one that has ended; everything allowed."""
    from accounts.models import UserSettings

    UserSettings.objects.filter(tenant=tenant).update(self_service_wipe=True)
    tenant.help_contact = "Service desk, extension 700"
    tenant.save()
    phone = factories.device(tenant, person, name="Pia's iPhone")
    mac = factories.device(
        tenant, person, name="Pia's MacBook Pro with a long name", platform="mac"
    )
    ended = factories.device(tenant, person, name="Old iPad", platform="ipad")
    lifecycle.transition(device_id=ended.pk, to="unenrolled", actor=person.person_actor)
    self_service.lock(device=mac, user=person)
    self_service.retire(device=mac, user=person, reason="New one")
    for status in ("queued", "error", "not_now"):
        factories.command(phone, "DeviceLock", status=status)
    _left_unfinished(person)
    return {"phone": phone, "mac": mac}


def _left_unfinished(person) -> None:
    """An attempt that reminders are sent about, to two browsers as well."""
    phone = registration.Browser(ip="203.0.113.9", platform="iphone")
    session = registration.enter_confirmed(user=person, browser=phone).session
    for number, label in enumerate(("Chrome · Windows", "")):
        push_addresses.subscribe(
            session=session,
            user=person,
            document=WebPushBrowser(f"https://push.example.org/{number}").subscription,
            language="en",
            actor=person.person_actor,
            label=label,
        )


def signed_in(context, live_server, person, base=""):
    from django.test import Client

    client = Client()
    sign_in_me(client, person, is_recent=True)
    name = django_settings.ME_COOKIE_NAME
    cookie = {"name": name, "value": client.cookies[name].value}
    context.add_cookies([cookie | {"url": base or live_server.url}])


def pages(world) -> list[str]:
    phone, mac = world["phone"].pk, world["mac"].pk
    return [
        me("me-home"),
        me("me-device", phone),
        me("me-device", mac),
        me("me-device-lock", phone),
        me("me-device-retire", phone),
        me("me-device-wipe", phone),
        me("me-pin-reveal", mac),
        me("me-device-add"),
        me("me-account"),
        me("account_sessions"),
        me("mfa_index"),
        me("mfa_activate_totp"),
        me("mfa_add_webauthn"),
        me("account_change_password"),
        me("account_logout"),
        "/me/nothing/",
    ]


ENTRANCE = ("account_login", "account_reset_password", "account_reset_password_done")


@pytest.mark.parametrize("width", SIZES)
def test_no_page_of_self_service_has_a_barrier(new_context, live_server, person, world, width):
    context = new_context(viewport={"width": width, "height": 800}, reduced_motion="reduce")
    page, axe, found = context.new_page(), Axe(), []
    for name in ENTRANCE:
        found += check(page, axe, live_server.url + me(name))
    signed_in(context, live_server, person)
    for where in pages(world):
        found += check(page, axe, live_server.url + where)
    page.goto(live_server.url + me("me-device-add"))
    page.get_by_role("button", name="Show the code").click()
    page.wait_for_load_state()
    found += check(page, axe)
    assert not found, "\n".join(found)


def as_sent(answer) -> int:
    """The size as an installed server sends it, where text is compressed beforehand."""
    body = answer.body()
    return len(body) if answer.url.endswith(".woff2") else len(gzip.compress(body))


def test_the_pages_are_light(new_context, live_server, person, world):
    context = new_context(reduced_motion="reduce", viewport={"width": 390, "height": 800})
    signed_in(context, live_server, person)
    page, sizes = context.new_page(), {}
    page.on("response", lambda answer: sizes.update({answer.url: as_sent(answer)}))
    page.goto(live_server.url + me("me-device", world["phone"].pk))
    page.wait_for_load_state("networkidle")
    scripts = [size for url, size in sizes.items() if url.endswith(".js")]
    assert sum(scripts) < 20_000
    assert sum(sizes.values()) < MAX_BYTES, sizes


def test_a_lost_phone_is_locked_without_a_script(new_context, live_server, person, world):
    context = new_context(java_script_enabled=False, viewport={"width": 320, "height": 700})
    page = context.new_page()
    page.goto(live_server.url + "/me/")
    page.fill("[name=login]", person.email)
    page.fill("[name=password]", factories.PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("link", name="Pia's iPhone").click()
    page.get_by_role("link", name="Lock").click()
    page.fill("[name=message]", "Found? Please call.")
    page.get_by_role("button", name="Lock").click()
    page.get_by_text("The lock is ordered").wait_for()
    assert world["phone"].commands.filter(requested_by__kind="person").exists()


def test_the_page_of_a_device_follows_by_itself(new_context, live_server, person, world):
    context = new_context(reduced_motion="reduce", viewport={"width": 1280, "height": 800})
    signed_in(context, live_server, person)
    page = context.new_page()
    page.goto(live_server.url + me("me-device", world["phone"].pk))
    assert page.locator("[data-part=state]").get_by_text("Active").is_visible()
    lifecycle.transition(device_id=world["phone"].pk, to="unenrolled", actor=world["phone"].actor)
    page.get_by_text("This device is not managed any more.").wait_for(timeout=15_000)


def virtual_key(context, page):
    """Chromium's own authenticator, which checks its holder as a phone does."""
    tools = context.new_cdp_session(page)
    tools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    made = tools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return tools, made["authenticatorId"]


def localhost(live_server) -> str:
    """Passkeys belong to names, not to numbers."""
    return live_server.url.replace("127.0.0.1", "localhost")


def test_a_passkey_signs_in_to_ones_own_devices(new_context, live_server, person, world):
    base = localhost(live_server)
    context = new_context(reduced_motion="reduce", viewport={"width": 390, "height": 800})
    page = context.new_page()
    virtual_key(context, page)
    page.goto(base + "/me/")
    page.fill("[name=login]", person.email)
    page.fill("[name=password]", factories.PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.goto(base + me("mfa_add_webauthn"))
    page.fill("[name=password]", factories.PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    page.fill("[name=name]", "Pia's phone")
    page.get_by_role("button", name="Create the passkey").click()
    page.get_by_role("heading", name="Recovery codes").wait_for()
    page.goto(base + me("mfa_index"))
    assert page.get_by_text("Pia's phone").first.is_visible()
    context.clear_cookies()
    page.goto(base + "/me/")
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.get_by_role("heading", name="My devices").wait_for()
    page.goto(base + me("mfa_add_webauthn"))
    page.get_by_role("link", name="Use a", exact=False).first.click()
    page.get_by_role("button", name="Use a passkey").click()
    page.get_by_role("heading", name="Add a passkey").wait_for()
    page.goto(base + "/sign-in/")
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.get_by_text("You cannot sign in here with this passkey").wait_for()


def test_a_passkey_signs_in_to_the_portal(new_context, live_server, client, owner, settings):
    base = localhost(live_server)
    settings.MUSTER_REQUIRE_ADMIN_MFA = True
    context = new_context(reduced_motion="reduce", viewport={"width": 1280, "height": 800})
    page = context.new_page()
    virtual_key(context, page)
    sign_in_portal(context, live_server, client, owner)
    [cookie] = context.cookies()
    context.add_cookies([{"name": cookie["name"], "value": cookie["value"], "url": base}])
    page.goto(base + "/")
    page.get_by_role("link", name="Add a passkey instead").click()
    page.fill("[name=name]", "Olga's laptop")
    page.get_by_role("button", name="Create the passkey").click()
    page.get_by_role("heading", name="Recovery codes").wait_for()
    context.clear_cookies()
    page.goto(base + path("devices:device-list"))
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.get_by_role("heading", level=1).filter(has_not_text="Sign in").wait_for()
    found = check(page, Axe(), base + path("mfa_index"))
    assert page.get_by_text("Olga's laptop").first.is_visible()
    found += check(page, Axe(), base + path("account_sessions"))
    found += check(page, Axe(), base + path("mfa_add_webauthn"))
    assert not found, "\n".join(found)


def test_a_cancelled_passkey_says_so_and_leaves_the_other_way(new_context, live_server, tenant):
    context = new_context(reduced_motion="reduce", viewport={"width": 390, "height": 800})
    page = context.new_page()
    tools, key = virtual_key(context, page)
    tools.send("WebAuthn.setUserVerified", {"authenticatorId": key, "isUserVerified": False})
    page.goto(localhost(live_server) + "/me/sign-in/")
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.get_by_text("That did not work, or was cancelled").wait_for()
    assert page.get_by_role("button", name="Sign in", exact=True).is_enabled()


def test_the_registration_goes_on_at_the_host_of_the_organisation(
    new_context, live_server, tenant, person, platform, settings
):
    """A form may lead to no other host, a link may: the way over is one."""
    settings.MUSTER_PUBLIC_URL = localhost(live_server)
    factories.tenant("globex", name="Globex", hosts=["localhost"])
    type(tenant).objects.filter(pk=tenant.pk).update(hosts=["127.0.0.1"])
    context = new_context(viewport={"width": 320, "height": 700}, user_agent=IPHONE)
    signed_in(context, live_server, person, base=localhost(live_server))
    page = context.new_page()
    page.goto(localhost(live_server) + me("me-device-add"))
    page.get_by_role("button", name="Continue").click()
    page.get_by_text("127.0.0.1").wait_for()
    found = check(page, Axe())
    assert not found, "\n".join(found)
    page.get_by_role("link", name="Go on").click()
    page.wait_for_url("http://127.0.0.1:*/go/q/*")
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("heading", name="Know what happens").wait_for()

"""Reminders in a real browser: the offer, the consent, the push that it decrypts and shows.

Headless Chromium has no push service of its own, so `PushManager` asks ours, which holds the
private key of the browser and decrypts what comes. What it decrypted goes to the service worker.
"""

from __future__ import annotations

import json

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings as django_settings

from core import clock
from core.services import delivery
from enrollment.models import BrowserSubscription, EnrollmentSession, Notice, NoticeStatus
from enrollment.services import push_keys, reminders
from tests.enrollment import scenes
from tests.enrollment.conftest import IPHONE, MAC
from tests.enrollment.push_world import ACTOR, at_noon
from tests.enrollment.scenes import Scene
from tests.enrollment.test_pages_browser import RULES, SHOTS, SIZES, SMALL_TARGETS, stage
from tests.fakes.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
__all__ = ["stage"]

CHROME_ON_MAC = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/142.0.0.0 Safari/537.36"
)
# A subscription of ours in place of one of Google; it survives a reload, as a real one does.
PUSH_MANAGER = """(() => {
  const kept = () => JSON.parse(localStorage.getItem("subscription"));
  const made = (content) => content && ({
    endpoint: content.endpoint,
    toJSON: () => content,
    unsubscribe: async () => { localStorage.removeItem("subscription"); return true; },
  });
  PushManager.prototype.getSubscription = async () => made(kept());
  PushManager.prototype.subscribe = async (options) => {
    if (!options.userVisibleOnly) throw new Error("silent pushes are not allowed");
    const key = btoa(String.fromCharCode(...options.applicationServerKey))
      .replace(/\\+/g, "-").replace(/\\//g, "_").replace(/=+$/, "");
    const content = await window.pushServiceSubscribe(key);
    localStorage.setItem("subscription", JSON.stringify(content));
    return made(content);
  };
})()"""

NOTIFICATIONS = """async () => {
  const registration = await navigator.serviceWorker.getRegistration("/go");
  const shown = await registration.getNotifications();
  return shown.map((one) => [one.title, one.body, one.data.url]);
}"""


@pytest.fixture
def turned_on(tenant):
    return push_keys.make_web_push(tenant=tenant, actor=ACTOR)


@pytest.fixture
def offer(tenant, turned_on, push_service, stage, live_server):
    """The page of a Mac in Chromium that is at the step of the profile, with the offer."""

    def open_page(scene: Scene | None = None, *, may_notify: bool = True, **options):
        found = scene or scenes.install_mac(tenant)
        page = stage(Scene("/go/nothing", CHROME_ON_MAC, found.cookie), **options)
        context = page.context
        if may_notify:
            context.grant_permissions(["notifications"], origin=live_server.url)
        context.expose_function(
            "pushServiceSubscribe", lambda key: push_service.subscribe(key).subscription
        )
        context.add_init_script(PUSH_MANAGER)
        page.goto(f"{live_server.url}{found.path}")
        return page

    return open_page


def agree(page):
    page.get_by_role("button", name="Remind me").click()
    page.get_by_text("This browser will remind you if you do not finish.").wait_for()


def remind(tenant):
    """Make the reminder due at noon of the person's day, and let the workers send it."""
    at_noon(EnrollmentSession.objects.get().user)
    EnrollmentSession.objects.update(remind_at=clock.now())
    assert reminders.sweep() == 1
    while delivery.sweep():
        pass


def show_in_worker(page, origin: str, payload: dict):
    """Hand a payload to the service worker as the browser does, and return what it shows."""
    session = page.context.new_cdp_session(page)
    found: list[dict] = []
    session.on("ServiceWorker.workerRegistrationUpdated", lambda told: found.append(told))
    session.send("ServiceWorker.enable")
    # A call to the page lets what the browser tells arrive.
    until(lambda: page.evaluate("true") and found, what="the service worker's registration")
    [registration] = found[-1]["registrations"]
    session.send(
        "ServiceWorker.deliverPushMessage",
        {
            "origin": origin,
            "registrationId": registration["registrationId"],
            "data": json.dumps(payload),
        },
    )
    return until(lambda: page.evaluate(NOTIFICATIONS), what="a notification")


@pytest.mark.parametrize("language", ["en-GB", "fr-FR"])
def test_a_browser_that_agreed_is_reminded(
    offer, tenant, turned_on, push_service, live_server, language
):
    page = offer(locale=language)
    if language == "en-GB":
        agree(page)
    else:
        page.get_by_role("button", name="Me le rappeler").click()
        page.get_by_text("Ce navigateur vous le rappellera si vous ne terminez pas.").wait_for()
    [row] = BrowserSubscription.objects.all()
    [browser] = push_service.browsers.values()
    assert browser.sender == push_keys.signer_of(turned_on).public
    assert row.label == "Chrome · Mac OS X"
    remind(tenant)
    assert push_service.refusals == []
    [payload] = browser.shown
    words = {"en-GB": "Nearly there", "fr-FR": "Vous y êtes presque"}
    assert payload["title"] == words[language]
    notice = Notice.objects.get(channel="web_push")
    assert (notice.status, notice.recipient) == (NoticeStatus.SENT, "Chrome · Mac OS X")
    [shown] = show_in_worker(page, live_server.url, payload)
    assert shown == [payload["title"], payload["body"], "/go"]


def test_a_push_leads_to_our_registration_pages_only(offer, live_server):
    page = offer()
    agree(page)
    payload = {"title": "x", "body": "y", "url": "https://evil.example/go"}
    [shown] = show_in_worker(page, live_server.url, payload)
    assert shown == ["x", "y", "/go"]


def test_the_browser_can_take_it_back(offer, tenant, push_service):
    page = offer()
    agree(page)
    page.reload()
    page.get_by_text("This browser reminds you if you do not finish.").wait_for()
    page.get_by_role("button", name="Not in this browser").click()
    page.get_by_text("This browser will not remind you.").wait_for()
    assert not BrowserSubscription.objects.exists()
    assert page.evaluate("localStorage.getItem('subscription')") is None
    assert page.get_by_role("button", name="Remind me").is_enabled()
    remind(tenant)
    assert not any(browser.shown for browser in push_service.browsers.values())


def test_what_the_server_forgot_is_offered_again(offer):
    page = offer()
    agree(page)
    BrowserSubscription.objects.all().delete()
    page.reload()
    page.get_by_role("button", name="Remind me").wait_for()
    assert not page.get_by_role("button", name="Not in this browser").is_visible()


def test_a_refused_permission_is_told_in_words(offer):
    page = offer(may_notify=False)
    page.evaluate("() => { Notification.requestPermission = async () => 'denied'; }")
    page.get_by_role("button", name="Remind me").click()
    page.get_by_text("The browser was told not to show notifications.").wait_for()
    assert page.get_by_role("button", name="Remind me").is_enabled()
    assert not BrowserSubscription.objects.exists()


def test_a_browser_without_a_push_service_is_told_in_words(offer):
    page = offer()
    page.evaluate(
        "() => { PushManager.prototype.subscribe = async () => { throw new DOMException('x'); }; }"
    )
    page.get_by_role("button", name="Remind me").click()
    page.get_by_text("Reminders come by mail all the same.").wait_for()


def test_the_server_s_refusal_is_told_in_its_words(offer):
    page = offer()
    EnrollmentSession.objects.update(outcome="cancelled", stopped_reason="cancelled")
    page.get_by_role("button", name="Remind me").click()
    page.get_by_text("This registration has ended.").wait_for()


@pytest.mark.parametrize("agent", [IPHONE, MAC])
def test_ios_is_not_offered_it_even_where_an_ipad_calls_itself_a_mac(
    tenant, turned_on, stage, agent
):
    scene = scenes.install_iphone(tenant) if agent == IPHONE else scenes.install_mac(tenant)
    page = stage(Scene("/go/nothing", agent, scene.cookie))
    page.add_init_script("Object.defineProperty(navigator, 'maxTouchPoints', {get: () => 5})")
    page.goto(page.url.replace("/go/nothing", scene.path))
    page.get_by_text("Install the profile").first.wait_for()
    assert not page.get_by_role("button", name="Remind me").is_visible()


def test_the_offer_has_no_barrier_and_fits(offer):
    page = offer()
    page.locator("summary", has_text="Reminders").click()
    for name, viewport in SIZES.items():
        page.set_viewport_size(viewport)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            for is_on in (False, True):
                button = "Not in this browser" if not is_on else "Remind me"
                if page.get_by_role("button", name=button, exact=True).is_visible():
                    page.get_by_role("button", name=button, exact=True).click()
                shown = "Not in this browser" if is_on else "Remind me"
                page.get_by_role("button", name=shown, exact=True).wait_for()
                found = Axe().run(page, options={"runOnly": {"type": "tag", "values": RULES}})
                assert found.violations_count == 0, found.generate_report()
                assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
                assert page.evaluate(SMALL_TARGETS) == []
                if SHOTS:
                    page.screenshot(
                        path=f"{SHOTS}/push-{is_on}-{name}-{scheme}.png", full_page=True
                    )
    french = {"name": django_settings.LANGUAGE_COOKIE_NAME, "value": "fr", "url": page.url}
    page.context.add_cookies([french])
    page.set_viewport_size(SIZES["narrow"])
    page.reload()
    page.get_by_role("button", name="Pas dans ce navigateur").wait_for()
    page.locator("summary", has_text="Rappels").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/push-french.png", full_page=True)


def test_the_reminders_are_stopped_with_one_button_and_without_script(offer, tenant):
    page = offer(java_script_enabled=False)
    page.locator("summary", has_text="Reminders").click()
    page.get_by_role("button", name="Do not remind me").click()
    page.get_by_text("We do not remind you of this registration.").wait_for()
    session = EnrollmentSession.objects.get()
    assert session.remind_at is None
    assert session.reminders_stopped_at is not None

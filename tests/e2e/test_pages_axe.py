"""Every page of the portal under axe: light and dark, on a phone's width and on a desk."""

from __future__ import annotations

import datetime as dt

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings as django_settings

from accounts import grouping
from accounts.services import attributes, group_rules, groups, terms
from core import clock, history
from core.models import OutboxMessage
from devices.models import Device, InventorySection, Operation
from devices.services import lifecycle, lost_mode, wipe_log
from enrollment.models import EnrollmentSession
from enrollment.services import invitations
from enrollment.states import STAGE_ORDER
from tests import factories
from tests.bulk import world as bulk
from tests.portal import path

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
OPTIONS = {"runOnly": {"type": "tag", "values": TAGS}, "resultTypes": ["violations"]}
COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
SIZES = [320, 1280]
# Colours change within a frame, and what is measured before it would be those of the other scheme.
TWO_FRAMES = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
INVENTORY = {
    "device": {"DeviceName": "Pia's iPhone", "BatteryLevel": 0.5, "OSVersion": "18.1"},
    "security": {"PasscodePresent": True},
    "applications": {"items": [{"Name": "Field", "ShortVersion": "1"}], "total": 1},
    "profiles": {"items": [{"PayloadDisplayName": "Muster", "IsManaged": True}], "total": 1},
    "certificates": {"items": [{"CommonName": "Device", "IsIdentity": True}], "total": 1},
}


@pytest.fixture
def world(tenant, owner, person, settings):
    """Something of everything, so that no page is empty."""
    settings.MUSTER_REQUIRE_ADMIN_MFA = False
    active = factories.device(tenant, person, name="Pia's iPhone")
    leaving = factories.device(tenant, person, name="Pia's Mac", platform="mac")
    gone = factories.device(tenant, None, state="unenrolled")
    lost = factories.device(tenant, person, name="Pia's iPad", platform="ipad", is_supervised=True)
    lost_mode.begin(device=lost, actor=lost.actor, asked_by=owner.actor.as_dict())
    lost_mode.keep_place(device=lost, latitude=48.8584, longitude=2.2945, accuracy=12.5)
    history.record(active, "devices.lock.requested", actor=owner.actor, data={"reason": "Lost"})
    for status in ("queued", "error", "not_now", "acknowledged"):
        factories.command(active, "DeviceLock", status=status)
    for kind, data in INVENTORY.items():
        InventorySection.objects.create(
            device=active, kind=kind, data=data, collected_at=clock.now()
        )
    lifecycle.transition(device_id=leaving.pk, to="wipe_pending", actor=owner.actor)
    invitation = invitations.invite_user(user=person, actor=owner.actor, sender=owner)
    for outcome, reason in (("open", ""), ("refused", "device_limit")):
        EnrollmentSession.objects.create(
            tenant=tenant,
            invitation=invitation,
            user=person,
            platform="iphone",
            stage=STAGE_ORDER[2],
            outcome=outcome,
            stopped_reason=reason,
            expires_at=clock.now() + dt.timedelta(hours=1),
            **{f"{stage}_at": clock.now() for stage in STAGE_ORDER[:3]},
        )
    OutboxMessage.objects.create(
        tenant=tenant, kind="mail", status="quarantined", recipient="a@b.c", finished_at=clock.now()
    )
    factories.token(owner, "devices.view")
    entry = history.record(active, "devices.check_in.requested", actor=owner.actor)
    many = bulk.fleet(tenant, 12)
    bulk.limit(tenant, 50)
    held = bulk.wipe(owner, many)
    bulk.work_off(bulk.order(owner, "lock", many, form={"message": ["Call us"], "reason": [""]}))
    lost = factories.device(tenant, person, name="Lost")
    wipe_log.record(lost, actor=owner.actor, reason="Train", operation=None, approved_by="")
    return {
        "held": held.pk,
        "hold": held.hold.pk,
        "done": Operation.objects.exclude(pk=held.pk).get().pk,
        "device": active.pk,
        "leaving": leaving.pk,
        "gone": gone.pk,
        "lost": lost.pk,
        "command": active.commands.first().pk,
        "person": person.pk,
        "invitation": invitation.pk,
        "entry": entry.pk,
        "terms": _accepted_terms(tenant, person).pk,
        **_groups(tenant, owner),
    }


def _groups(tenant, owner):
    made = {"tenant": tenant, "actor": owner.actor}
    attribute = attributes.define(
        owner_kind="device", key="place", label="Place", kind="text", **made
    )
    rules = [
        {"field": "attr.place", "operator": "contains", "value": "Lobby"},
        {
            "match": "any",
            "rules": [
                {"field": "os_version", "operator": "between", "value": ["17", "18.2"]},
                {"field": "platform", "operator": "equals", "value": "mac"},
                {"field": "serial", "operator": "not_blank"},
            ],
        },
    ]
    shape, rule = grouping.get("device"), {"match": "any", "rules": rules}
    group = groups.create(shape=shape, name="Around the lobby", rule=rule, **made)
    manual = groups.create(shape=shape, name="Loan", description="For visitors", **made)
    groups.add_members(group=manual, ids=[Device.objects.first().pk], actor=owner.actor)
    groups.create(shape=grouping.get("user"), name="Sales", **made)
    groups.create_builtin(shape=shape, tenant=tenant)
    group_rules.sweep(shape)
    return {"group": group.pk, "manual": manual.pk, "attribute": attribute.pk}


def _accepted_terms(tenant, person):
    made = terms.publish(tenant=tenant, title="Terms", text="Be kind.", actor=person.actor)
    terms.accept(user=person, terms_id=made.pk, actor=person.person_actor, place="page")
    return made


def pages(world) -> list[str]:
    device, person, invitation = (world[name] for name in ("device", "person", "invitation"))
    own, lost = path("device-detail", device), world["lost"]
    return [
        "/",
        path("devices:device-list"),
        path("devices:device-list") + "?q=nothing+like+this",
        path("devices:device-list") + "?state=active&sort=name",
        own,
        *(f"{own}?tab={tab}" for tab in ("security", "applications", "commands", "entries")),
        path("device-detail", world["leaving"]),
        path("device-detail", world["gone"]),
        path("devices:operation-list"),
        path("devices:operation-detail", world["held"]),
        path("devices:operation-detail", world["done"]),
        path("devices:operation-new") + "?action=lock&all=1&query=",
        path("devices:operation-new") + "?action=wipe&all=1&query=",
        path("devices:wipe-list"),
        path("devices:hold-detail", world["hold"]),
        path("devices:hold-stop", world["hold"]),
        path("devices:protection"),
        path("devices:protection-limit"),
        path("devices:freeze"),
        path("devices:lift"),
        path("devices:device-lock", device),
        path("devices:device-lost-mode", lost),
        path("devices:device-assign", device),
        path("devices:device-set-ownership", device),
        path("devices:device-close-order", world["leaving"]),
        path("devices:location-reveal", lost),
        path("devices:command-raw", world["command"]),
        path("device-detail", lost),
        path("devices:device-retire", device),
        path("devices:device-wipe", device),
        path("devices:pin-reveal", world["leaving"]),
        path("user-list"),
        path("user-detail", person),
        path("invitations:person-new"),
        path("accounts:user-edit", person),
        path("accounts:user-roles", person),
        path("accounts:user-disable", person),
        path("invitations:invitation-list"),
        path("invitations:session-list"),
        path("invitations:invitation-new"),
        path("invitations:invitation-detail", invitation),
        path("invitations:invitation-revoke", invitation),
        path("device-group-list"),
        path("device-group-new"),
        path("device-group-new-rule"),
        path("device-group-detail", world["group"]),
        path("device-group-detail", world["manual"]),
        path("device-group-edit", world["group"]),
        path("device-group-delete", world["group"]),
        path("device-group-members-add", world["manual"]),
        path("device-member-groups", device),
        path("device-member-attributes", device),
        path("device-variables", device),
        path("devices:device-join-group", device),
        path("devices:device-set-attribute", device),
        path("user-group-list"),
        path("user-group-choose") + f"?person={person}",
        path("settings-attributes"),
        path("settings-attribute-new"),
        path("settings-attribute-edit", world["attribute"]),
        path("settings-attribute-delete", world["attribute"]),
        path("history-list"),
        path("search") + "?q=pia",
        path("history-verify"),
        path("settings-history"),
        path("settings-webhooks"),
        path("settings-webhook-new"),
        path("devices:cleanup-list"),
        path("devices:cleanup-rule", "retire_silent"),
        path("history-detail", world["entry"]),
        path("settings-organisation"),
        path("settings-policy"),
        path("invitations:link-settings"),
        path("invitations:links-renew"),
        path("invitations:pin-make", person),
        path("settings-terms"),
        path("settings-terms-detail", world["terms"]),
        path("settings-terms-new"),
        path("settings-mail"),
        path("settings-health") + "?now=1&part=address",
        path("setup-step", "terms"),
        path("setup-step", "organisation"),
        path("setup-step", "mail"),
        path("setup-step", "push"),
        path("setup-step", "people"),
        path("setup-step", "summary"),
        path("settings-push"),
        path("settings-push-upload"),
        path("settings-tokens"),
        path("settings-token-new"),
        path("mfa_index"),
        path("mfa_activate_totp"),
        path("account_change_password"),
        "/nothing/here/",
    ]


def sign_in(context, live_server, client, user) -> None:
    """Give the browser the session of a test client, with a sign-in of just now."""
    from tests.portal import confirm

    client.force_login(user, backend="accounts.backends.PortalBackend")
    confirm(client)
    name = django_settings.SESSION_COOKIE_NAME
    cookie = {"name": name, "value": client.cookies[name].value, "url": live_server.url}
    context.add_cookies([cookie])


def check(page, axe: Axe, url: str = "") -> list[str]:
    """Run axe on a page in light, and again in dark with the rules that colours can break."""
    if url:
        page.goto(url)
    page.emulate_media(color_scheme="light")
    found = barriers(page, axe, OPTIONS)
    page.emulate_media(color_scheme="dark")
    page.evaluate(TWO_FRAMES)
    found += barriers(page, axe, COLOURS)
    root = "document.documentElement"
    if page.evaluate(f"{root}.scrollWidth > {root}.clientWidth"):
        found.append("wider than the screen")
    if page.locator("h1").count() != 1:
        found.append("not exactly one h1")
    return [f"{page.url}: {barrier}" for barrier in found]


def barriers(page, axe: Axe, options: dict) -> list[str]:
    return [
        f"{violation['id']} ({node['html'][:160]})"
        for violation in axe.run(page, options=options).response["violations"]
        for node in violation["nodes"][:3]
    ]


@pytest.mark.parametrize("width", SIZES)
def test_no_page_of_the_portal_has_a_barrier(new_context, live_server, client, owner, world, width):
    context = new_context(viewport={"width": width, "height": 800}, reduced_motion="reduce")
    sign_in(context, live_server, client, owner)
    page, axe, found = context.new_page(), Axe(), []
    for where in pages(world):
        found += check(page, axe, live_server.url + where)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("width", SIZES)
def test_no_page_before_the_sign_in_has_a_barrier(new_context, live_server, tenant, width):
    context = new_context(viewport={"width": width, "height": 800}, reduced_motion="reduce")
    page, axe, found = context.new_page(), Axe(), []
    for name in ("account_login", "account_reset_password", "account_reset_password_done"):
        found += check(page, axe, live_server.url + path(name))
    page.goto(live_server.url + path("account_login"))
    page.fill("[name=login]", "nobody@acme.test")
    page.fill("[name=password]", "wrong")
    page.click("main button")
    page.locator("[data-error-summary]").wait_for()
    page.wait_for_load_state()
    assert page.title().startswith("Error:")
    found += check(page, axe)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("width", SIZES)
def test_no_page_of_the_second_step_has_a_barrier(
    new_context, live_server, client, owner, settings, width
):
    from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
    from allauth.mfa.totp.internal import auth as totp

    settings.MUSTER_REQUIRE_ADMIN_MFA = True
    totp.TOTP.activate(owner, totp.generate_totp_secret())
    RecoveryCodes.activate(owner)
    context = new_context(viewport={"width": width, "height": 800}, reduced_motion="reduce")
    page, axe, found = context.new_page(), Axe(), []
    page.goto(live_server.url + path("account_login"))
    page.fill("[name=login]", owner.email)
    page.fill("[name=password]", factories.PASSWORD)
    page.press("[name=password]", "Enter")
    page.wait_for_url("**" + path("mfa_authenticate") + "**")
    found += check(page, axe)
    sign_in(context, live_server, client, owner)
    for name in (
        "mfa_index",
        "mfa_view_recovery_codes",
        "mfa_generate_recovery_codes",
        "mfa_deactivate_totp",
        "account_reauthenticate",
    ):
        found += check(page, axe, live_server.url + path(name))
    assert not found, "\n".join(found)


def test_french_fits_a_narrow_screen(new_context, live_server, client, owner, world):
    type(owner).objects.filter(pk=owner.pk).update(language="fr")
    context = new_context(viewport={"width": 320, "height": 800})
    sign_in(context, live_server, client, owner)
    page, wide = context.new_page(), []
    for where in pages(world):
        page.goto(live_server.url + where)
        assert page.locator("html").get_attribute("lang") == "fr"
        root = "document.documentElement"
        if page.evaluate(f"{root}.scrollWidth > {root}.clientWidth"):
            wide.append(where)
    assert wide == []


def test_forced_colours_and_print_keep_the_words(new_context, live_server, client, owner, world):
    context = new_context(viewport={"width": 1280, "height": 800}, forced_colors="active")
    sign_in(context, live_server, client, owner)
    page = context.new_page()
    found = check(page, Axe(), live_server.url + path("devices:device-list"))
    page.emulate_media(media="print")
    assert page.locator("table").get_by_text("Wipe pending").is_visible()
    assert not page.locator(".m-side").is_visible()
    assert not found, "\n".join(found)


def test_everything_is_reached_by_keyboard(new_context, live_server, client, owner, world):
    context = new_context(viewport={"width": 1280, "height": 800})
    sign_in(context, live_server, client, owner)
    page = context.new_page()
    page.goto(live_server.url + path("device-detail", world["device"]))
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.get_by_label("More actions").focus()
    page.keyboard.press("Enter")
    assert page.get_by_role("link", name="Wipe").is_visible()
    page.keyboard.press("Escape")
    assert not page.get_by_role("link", name="Wipe").is_visible()
    lock = page.get_by_role("link", name="Lock", exact=True)
    lock.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    dialog.wait_for()
    assert page.evaluate("document.activeElement.textContent") == "Keep as it is"
    page.keyboard.press("Escape")
    assert not dialog.is_visible()
    assert page.evaluate("document.activeElement.textContent.trim()") == "Lock"


def test_the_device_page_follows_by_itself(new_context, live_server, client, owner, world):
    from devices.models import Device

    context = new_context(viewport={"width": 1280, "height": 800})
    sign_in(context, live_server, client, owner)
    page = context.new_page()
    page.goto(live_server.url + path("device-detail", world["device"]))
    assert page.locator("#live-state").inner_text() == "Active"
    device = Device.objects.get(pk=world["device"])
    lifecycle.transition(device_id=device.pk, to="unenrolled", actor=device.actor)
    page.get_by_text("Unenrolled by the person").first.wait_for(timeout=15_000)
    assert "Management was removed on the device" in page.locator("#live-story").inner_text()


def test_a_narrow_screen_has_a_drawer(new_context, live_server, client, owner, world):
    context = new_context(viewport={"width": 320, "height": 700})
    sign_in(context, live_server, client, owner)
    page = context.new_page()
    page.goto(live_server.url + "/devices/")
    menu, link = page.get_by_label("Menu"), page.get_by_role("link", name="History")
    assert not link.is_visible()
    menu.click()
    assert menu.get_attribute("aria-expanded") == "true"
    link.wait_for()
    page.keyboard.press("Escape")
    assert menu.get_attribute("aria-expanded") == "false"
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Menu"


def test_the_chosen_appearance_stays(new_context, live_server, client, owner, world):
    context = new_context(viewport={"width": 1280, "height": 800}, color_scheme="light")
    sign_in(context, live_server, client, owner)
    page = context.new_page()
    page.goto(live_server.url + "/")
    page.locator(".m-user summary").click()
    page.get_by_role("button", name="Dark").click()
    page.goto(live_server.url + "/devices/")
    assert page.evaluate("getComputedStyle(document.body).colorScheme") == "dark"


def test_lists_work_without_javascript(new_context, live_server, client, owner, world):
    context = new_context(java_script_enabled=False, viewport={"width": 320, "height": 700})
    sign_in(context, live_server, client, owner)
    page = context.new_page()
    page.goto(live_server.url + "/devices/")
    assert page.get_by_role("link", name="History").is_visible()
    page.locator("summary", has_text="Platform").click()
    page.get_by_role("link", name="Mac", exact=True).click()
    assert page.url.endswith("?platform=mac")
    assert page.get_by_text("Pia's Mac").is_visible()
    page.get_by_role("link", name="Pia's Mac").click()
    page.goto(live_server.url + path("devices:device-lock", world["device"]))
    assert page.get_by_role("button", name="Lock").is_visible()

"""Every way in as people take it, in Chromium and in two languages, each to an Active device."""

from __future__ import annotations

import re

import pytest

from simulator import registration
from simulator.browser import Browser
from tests import qr_reader
from tests.enrollment.conftest import IPHONE, MAC

pytestmark = [pytest.mark.browser, pytest.mark.zbar]
PASSWORD = "a fine long password"
WORDS = {
    "en-GB": {
        "begin": "Begin",
        "next": "Continue",
        "agree": "I understand, get the profile",
        "download": "Download profile",
        "code": "Show the code",
        "done": "You're done",
        "sign_in": "Sign in",
    },
    "fr-FR": {
        "begin": "Commencer",
        "next": "Continuer",
        "agree": "J’ai compris, obtenir le profil",
        "download": "Télécharger le profil",
        "code": "Afficher le code",
        "done": "C’est terminé",
        "sign_in": "Se connecter",
    },
}


@pytest.fixture(params=WORDS)
def locale(request) -> str:
    return request.param


def press(page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def profile_of(page, words) -> bytes:
    press(page, words["agree"])
    with page.expect_download() as found:
        page.get_by_role("link", name=words["download"]).click()
    return found.value.path().read_bytes()


def is_done(page, words) -> None:
    """The page notices by itself that the device is active."""
    page.get_by_role("heading", name=words["done"]).wait_for(timeout=20_000)


def test_link_and_pin_on_a_phone(field, new_context, locale):
    words, (person, invitation) = WORDS[locale], field.newcomer()
    context = new_context(locale=locale, user_agent=IPHONE, viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(invitation.link)
    assert page.locator("html").get_attribute("lang") == locale[:2]
    press(page, words["begin"])
    page.locator("[name=pin]").fill("00000000" if invitation.pin != "00000000" else "1" * 8)
    press(page, words["next"])
    page.locator("[data-error-summary]").wait_for()
    page.locator("[name=pin]").fill(f"{invitation.pin[:4]} {invitation.pin[4:]}")
    press(page, words["next"])
    for field_of in page.locator("input[type=password]").all():
        field_of.fill(PASSWORD)
    press(page, words["next"])
    phone = field.device()
    phone.install(profile_of(page, words))
    is_done(page, words)
    assert field.entry(phone)["state"] == "active"
    assert field.entry(phone)["email"] == person.email


def test_password_at_go_on_a_mac(field, server, settled, new_context, locale):
    words = WORDS[locale]
    page = new_context(locale=locale, user_agent=MAC).new_page()
    page.goto(f"{server.url}/go")
    page.locator("[name=email]").fill(settled.email)
    page.locator("[name=password]").fill("not the password")
    press(page, words["next"])
    page.locator("[data-error-summary], [data-error]").first.wait_for()
    page.locator("[name=password]").fill(settled.password)
    press(page, words["next"])
    mac = field.device("mac")
    mac.install(profile_of(page, words))
    is_done(page, words)
    assert field.entry(mac)["state"] == "active"
    assert field.entry(mac)["email"] == settled.email


def test_a_code_from_self_service_scanned_by_a_phone(
    field, server, settled, new_context, tmp_path, locale
):
    words = WORDS[locale]
    page = new_context(locale=locale, viewport={"width": 1100, "height": 1200}).new_page()
    page.goto(f"{server.url}/me/devices/add/")
    page.fill("[name=login]", settled.email)
    page.fill("[name=password]", settled.password)
    press(page, words["sign_in"])
    page.goto(f"{server.url}/me/devices/add/")
    press(page, words["code"])
    page.locator(".m-qr svg").wait_for()
    page.screenshot(path=tmp_path / "code.png")
    [said] = qr_reader.read(tmp_path / "code.png")
    assert re.match(rf"{server.url}/go/q/\w+", said)
    phone = field.device()
    camera = Browser(phone.http, kind=phone.kind)
    registration.register(camera, said)
    phone.install(camera.download().content)
    assert field.entry(phone)["state"] == "active"
    assert field.entry(phone)["email"] == settled.email
    field.settle(phone)
    page.goto(f"{server.url}/me/")
    page.get_by_role("link", name=field.entry(phone)["name"]).first.wait_for()

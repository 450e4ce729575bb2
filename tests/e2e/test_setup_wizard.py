"""From an empty server through the wizard to the first enrolled iPhone, in two languages."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from simulator.person import Person
from tests.e2e.field import TOPIC, Field
from tests.e2e.server import OWNER, PASSWORD
from tests.e2e.test_pages_axe import check
from tests.fakes.apns import FakeAPNs
from tests.fakes.smtp import FakeSMTP
from tests.fakes.waiting import until

pytestmark = [pytest.mark.browser]
NEWCOMER = "first@people.test"
WORDS = {
    "en-GB": {
        "accept": "I have read this and accept it for the organisation",
        "next": "Continue",
        "test": "Send me a test mail",
        "sent": "Delivered",
        "request": "Make a signing request",
        "csr": "Download the signing request",
        "install": "Install the certificate",
        "resume": "Continue the setup",
        "invite": "Invite and continue",
        "finish": "Finish",
        "done": "The setup is finished.",
    },
    "fr-FR": {
        "accept": "J’ai lu ce qui précède et je l’accepte pour l’organisation",
        "next": "Continuer",
        "test": "M’envoyer un e-mail de test",
        "sent": "Remis",
        "request": "Créer une demande de signature",
        "csr": "Télécharger la demande de signature",
        "install": "Installer le certificat",
        "resume": "Continuer la mise en place",
        "invite": "Inviter et continuer",
        "finish": "Terminer",
        "done": "La mise en place est terminée.",
    },
}


@pytest.mark.parametrize("locale", WORDS)
def test_from_an_empty_server_to_the_first_iphone(new_context, new_server, authority, locale):
    words = WORDS[locale]
    with FakeSMTP() as smtp, FakeAPNs(authority=authority) as apns:
        server = new_server(
            EMAIL_URL=smtp.url,
            MUSTER_APNS_URL=apns.url,
            MUSTER_APNS_CA_FILE=str(apns.authority_path),
        ).start()
        page = new_context(locale=locale, reduced_motion="reduce").new_page()
        set_up(page, server, smtp, apns, words)
        field = Field(server, smtp, apns, has_certificate=True)
        person, phone = Person(NEWCOMER), field.device()
        person.accept(phone, field.invitation_of(NEWCOMER))
        field.settle(phone)
        assert field.state(phone) == "active"
        assert field.oddities() == []
        field.order(phone, "lock")
        until(lambda: apns.pushes_to(phone.device_channel.token), seconds=30)
        field.close()


def set_up(page, server, smtp, apns, words) -> None:
    press = lambda name: page.get_by_role("button", name=name, exact=True).click()  # noqa: E731
    page.goto(server.url)
    page.fill("[name=login]", OWNER)
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    page.wait_for_url("**/setup/terms/")
    axe, found = Axe(), check(page, Axe())
    page.get_by_label(words["accept"]).check()
    press(words["next"])
    page.wait_for_url("**/setup/organisation/")
    page.fill("[name=name]", "Acme Aerospace")
    press(words["next"])
    page.wait_for_url("**/setup/address/")
    page.locator("#findings li").first.wait_for()
    found += check(page, axe)
    press(words["next"])
    page.wait_for_url("**/setup/mail/")
    page.locator("#findings li").first.wait_for()
    press(words["test"])
    page.locator("#test-mail").get_by_text(words["sent"]).wait_for()
    assert smtp.mails_to(OWNER)
    found += check(page, axe)
    press(words["next"])
    page.wait_for_url("**/setup/push/")
    get_a_certificate(page, apns, words)
    page.get_by_role("link", name=words["resume"]).click()
    page.wait_for_url("**/setup/push/")
    press(words["next"])
    page.wait_for_url("**/setup/people/")
    page.fill("[name=emails]", NEWCOMER)
    press(words["invite"])
    page.wait_for_url("**/setup/summary/")
    page.locator("#findings li").first.wait_for()
    found += check(page, axe)
    press(words["finish"])
    page.get_by_text(words["done"]).wait_for()
    assert page.locator("h1").count() == 1
    assert "Acme Aerospace" in page.title()
    page.goto(f"{server.url}/setup/")
    page.wait_for_url("**/setup/summary/")
    assert not found, "\n".join(found)


def get_a_certificate(page, apns, words) -> None:
    """By the settings page, which leads back into the setup."""
    page.get_by_role("button", name=words["request"]).click()
    page.wait_for_url("**/settings/push/")
    with page.expect_download() as download:
        page.get_by_role("link", name=words["csr"]).click()
    request = x509.load_pem_x509_csr(download.value.path().read_bytes())
    certificate = apns.authority.sign_push_request(request, TOPIC)
    page.get_by_role("link", name=re.compile(words["install"])).last.click()
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    upload = {"name": "push.pem", "mimeType": "application/x-pem-file", "buffer": pem}
    page.set_input_files("input[type=file]", upload)
    page.locator("main form button.btn-primary").click()
    page.wait_for_url("**/settings/push/")

"""S-53 for codes, the own portal, client apps and pushes: after real flows, everything that the
server kept, logged, rang about and answered is searched for every secret that there was."""

from __future__ import annotations

import re

import pytest
from django.conf import settings as django_settings
from django.core import mail as django_mail
from django.test import Client

from core.services import delivery
from enrollment.models import AppPush, ClientInstallation, EnrollmentSession
from enrollment.services import push_addresses, push_keys, reminders
from tests import factories
from tests.client_api.conftest import App
from tests.enrollment.conftest import IPHONE, Pages, platform, quick_pins
from tests.enrollment.push_world import (
    ACTOR,
    account,
    at_noon,
    developer_key,
    install_apns,
    install_fcm,
    p256,
    pem,
    rsa_key,
)
from tests.portal import me
from tests.trust.test_secrets import database, found_in, logged, rung

pytestmark = pytest.mark.django_db
__all__ = ["logged", "platform", "quick_pins", "rung"]
PASSWORD = "seventeen quiet herons"


def body_of(key) -> str:
    """The middle of a private key's PEM, which stands for all of it."""
    return pem(key).decode().split("\n")[2]


class Story:
    """One person on every way: own portal, code, app, browser; every push channel."""

    def __init__(self, tenant, settings, apns, google, push_service) -> None:
        self.user = factories.user(tenant, email="pia.person@acme.test")
        self.user.set_password(PASSWORD)
        self.user.save()
        at_noon(self.user)
        settings.MUSTER_APNS_URL = apns.url
        settings.MUSTER_APNS_CA_FILE = str(apns.authority_path)
        apns.trust_key(developer_key())
        google.trust(account())
        install_apns(tenant)
        install_fcm(tenant)
        self.signer = push_keys.signer_of(push_keys.make_web_push(tenant=tenant, actor=ACTOR))
        self.push_service = push_service
        self.secrets: dict[str, str | bytes] = {
            "password": PASSWORD,
            "key for Apple": body_of(p256()),
            "key for Firebase": body_of(rsa_key()),
        }

    def run(self) -> Story:
        code = self._own_portal()
        self._scan(code)
        self._app()
        self._remind()
        return self

    def _own_portal(self) -> str:
        client = Client()
        client.post(me("account_login"), {"login": self.user.email, "password": PASSWORD})
        self.secrets["cookie of the own portal"] = client.cookies[
            django_settings.ME_COOKIE_NAME
        ].value
        page = client.post(me("me-code")).content.decode()
        code = re.search(r"/go/q/([a-z2-7]{32})", page)[1]
        self.secrets["code"] = code
        return code

    def _scan(self, code: str) -> None:
        phone = Pages(IPHONE).open(f"/go/q/{code}").send("start")
        assert phone.step == "profile"
        Pages(IPHONE).open(f"/go/q/{code}")
        self.secrets["cookie of the attempt"] = phone.client.cookies[
            django_settings.GO_COOKIE_NAME
        ].value
        session = EnrollmentSession.objects.get()
        browser = self.push_service.subscribe(self.signer.public)
        push_addresses.subscribe(
            session=session,
            user=self.user,
            document=browser.subscription,
            language="en",
            actor=ACTOR,
        )
        self.secrets |= {
            "address of the browser": browser.endpoint.rpartition("/")[2],
            "secret of the browser": browser.subscription["keys"]["auth"],
        }

    def _app(self) -> None:
        for kind, token in (
            (AppPush.APNS, "c0ffee" * 11),
            (AppPush.FCM, "fcm-known-to-the-test-1"),
        ):
            phone = App()
            phone.sign_in(self.user.email, PASSWORD)
            row = ClientInstallation.objects.latest("created_at")
            push_addresses.keep_app_token(installation=row, kind=kind, token=token)
            phone.begin()
            self.secrets |= {f"token of the app, {kind}": phone.token, f"push token, {kind}": token}

    def _remind(self) -> None:
        newest = EnrollmentSession.objects.filter(remind_at__isnull=False)
        newest.update(remind_at=newest[0].created_at)
        assert reminders.sweep() == 1
        while delivery.sweep():
            pass


@pytest.fixture
def story(tenant, settings, apns, google, push_service, platform) -> Story:
    return Story(tenant, settings, apns, google, push_service).run()


def test_the_flows_were_real(story, apns, google, push_service):
    assert len(story.secrets) == 12
    assert len(apns.pushes) == len(google.sent) == 1
    assert [len(browser.shown) for browser in push_service.browsers.values()] == [1]
    assert any("finish" in mail.body or "nearly there" in mail.body for mail in django_mail.outbox)


def test_the_search_finds_what_is_there(story):
    for name, secret in story.secrets.items():
        assert found_in(f"x {secret} y", {name: secret}) == [name]


def test_no_table_holds_a_secret(story):
    leaks = {table: found_in(text, story.secrets) for table, text in database().items()}
    # A session is looked up by its key, as Django does it: docs/trust.md, "What to know".
    assert leaks.pop("accounts_usersession") == ["cookie of the own portal"]
    assert {table: names for table, names in leaks.items() if names} == {}


def test_no_log_line_and_no_task_holds_a_secret(logged, rung, story):
    text = logged()
    assert found_in(text, story.secrets) == []
    assert rung
    assert found_in("\n".join(rung), story.secrets) == []


def test_no_mail_and_no_push_holds_a_secret(story, apns, google, push_service):
    texts = [mail.message().as_string() for mail in django_mail.outbox]
    texts += [push.body.decode() for push in apns.pushes]
    texts += [str(browser.shown) for browser in push_service.browsers.values()]
    shown = {name: value for name, value in story.secrets.items() if "push token" not in name}
    assert found_in("\n".join([*texts, str(google.sent)]), shown) == []
    assert story.user.email not in "\n".join(texts[len(django_mail.outbox) :])


def test_no_page_and_no_answer_holds_a_secret(story, signed_in, owner):
    client = signed_in(owner)
    own = Client()
    own.post(me("account_login"), {"login": story.user.email, "password": PASSWORD})
    del story.secrets["password"]
    _row, token = factories.token(owner)
    api = Client(headers={"authorization": f"Bearer {token}"})
    pages = {
        "own": own.get(me("me-home")),
        "add": own.get(me("me-device-add")),
        "person": client.get(f"/users/{story.user.pk}/"),
        "settings": client.get("/settings/reminders/"),
        "history": client.get("/history/"),
        "reminders": api.get("/api/v1/reminders/"),
        "channels": api.get("/api/v1/reminder-channels/"),
        "enrollments": api.get("/api/v1/enrollments/"),
    }
    for name, answer in pages.items():
        assert answer.status_code == 200, name
        assert found_in(answer.content.decode(), story.secrets) == [], name

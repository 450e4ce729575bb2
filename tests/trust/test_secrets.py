"""What opens something is in no place where it could be found: after real flows, everything that
the server kept, logged, rang about and answered is searched for every secret that there was."""

from __future__ import annotations

import base64
import io
import logging
import re

import pytest
from django.conf import settings as django_settings
from django.core import mail as django_mail
from django.db import connection
from django.test import Client

from apple.services import push_certificate
from core.models import KeyPurpose
from core.services import delivery, keys
from core.tasks import DoorbellTask
from devices.models import Device, Identity
from devices.services import actions, pins
from enrollment.services import invitations
from tests import factories
from tests.apple.enrolling import Endpoint
from tests.apple.test_scep_to_checkin import ScepPhone
from tests.apple.wire import Mac
from tests.architecture.routes import routes
from tests.enrollment.conftest import MAC as SAFARI
from tests.enrollment.conftest import Mail, Pages, mailbox
from tests.pki_material import rsa_key
from tests.portal import confirm

pytestmark = pytest.mark.django_db
PASSWORD = "seventeen quiet herons"
NEW_PASSWORD = "eleven restless otters"
LOCK_PIN = 918_273
PUSH_TOKEN, MAGIC = b"push-token-known-to-the-test-001", "0FF1CE00-MAGIC-4A1B-9C2D-KNOWNTOTEST"
UNLOCK, BOOTSTRAP = b"unlock-token-known-to-the-test", b"bootstrap-token-known-to-the-test"


class ProfileMac(ScepPhone, Mac):
    """A Mac whose identity the challenge of a downloaded profile paid for."""

    def __init__(self, endpoint: Endpoint, user, challenge: str) -> None:
        self.challenge = challenge
        super().__init__(endpoint, user)
        self.udid = "6A1C2B3D-4E5F-6071-8293-A4B5C6D7E8F9"

    def get_profile(self) -> None:
        self._take(self.endpoint.enroll(self.challenge, key=self.key))


class Story:
    """One person with a Mac, one administrator, everything once, every secret noted."""

    def __init__(self, tenant, owner, monkeypatch, client) -> None:
        self.tenant, self.owner, self.client = tenant, owner, client
        self.secrets: dict[str, str | bytes] = {"password of the owner": factories.PASSWORD}
        factories.with_keys(tenant, monkeypatch)
        push_certificate.install_practice(tenant=tenant, actor=owner.actor)
        monkeypatch.setattr("devices.services.pins.random.randbelow", lambda limit: LOCK_PIN)

    def run(self) -> Story:
        letter = self._invite()
        page = self._register(letter)
        mac = self._enroll(page)
        self._manage(mac)
        self._sign_in()
        return self

    def _work_off(self) -> None:
        while delivery.sweep():
            pass

    def _invite(self) -> Mail:
        invitations.invite(
            tenant=self.tenant,
            emails=["pia@acme.test"],
            actor=self.owner.actor,
            sender=self.owner,
        )
        self._work_off()
        letter = mailbox()[-1]
        self.secrets |= {"PIN": letter.pin, "link": letter.link.rpartition("/")[2]}
        return letter

    def _register(self, letter: Mail) -> Pages:
        page = Pages(SAFARI).open(f"{letter.link}?device=mac")
        page.send("start", device="mac")
        self.secrets["first cookie"] = page.client.cookies[django_settings.GO_COOKIE_NAME].value
        page.send("pin", pin="00000000")
        page.send("pin", pin=letter.pin)
        page.send("password", password1=PASSWORD, password2=PASSWORD)
        page.send("profile")
        self.secrets |= {
            "cookie": page.client.cookies[django_settings.GO_COOKIE_NAME].value,
            "password": PASSWORD,
            "profile link": page.download.split("/")[2],
        }
        return page

    def _enroll(self, page: Pages) -> ProfileMac:
        profile = page.client.get(page.download).content
        challenge = re.search(rb"<key>Challenge</key>\s*<string>(\w+)</string>", profile)[
            1
        ].decode()
        self.secrets["challenge"] = challenge
        authority = keys.current(self.tenant, KeyPurpose.DEVICE_CA)
        endpoint = Endpoint(self.client, self.tenant, authority.certificate)
        mac = ProfileMac(endpoint, None, challenge)
        # Refused, and therefore logged: a used challenge for another key.
        assert endpoint.enroll(challenge, key=rsa_key("thief")).status != "0"
        assert mac.authenticate().status_code == 200
        assert mac.update_token(Token=PUSH_TOKEN, PushMagic=MAGIC).status_code == 200
        self.secrets |= {"push token": PUSH_TOKEN, "push magic": MAGIC}
        return mac

    def _manage(self, mac: ProfileMac) -> None:
        assert mac.check_in({"MessageType": "SetBootstrapToken", "BootstrapToken": BOOTSTRAP})
        got = mac.check_in({"MessageType": "GetBootstrapToken"}).content
        assert base64.b64encode(BOOTSTRAP) in got.replace(b"\n", b"").replace(b"\t", b"")
        device = Device.objects.get()
        actions.lock(device=device, actor=self.owner.actor, message="Call us")
        assert "DeviceLock" in mac.drain({"MessageResult": "Success"})
        device.refresh_from_db()
        assert pins.reveal_pin(device=device, actor=self.owner.actor) == str(LOCK_PIN)
        tokens = {"UnlockToken": UNLOCK, "Token": PUSH_TOKEN, "PushMagic": MAGIC}
        mac.check_in({"MessageType": "TokenUpdate", "Topic": "t", **tokens})
        self.secrets |= {"lock PIN": str(LOCK_PIN), "bootstrap": BOOTSTRAP, "unlock": UNLOCK}

    def _sign_in(self) -> None:
        _row, token = factories.token(self.owner)
        self.secrets["API token"] = token
        self.token = token
        Client().post("/account/password/reset/", {"email": self.owner.email})
        self._work_off()
        found = re.search(r"/account/password/reset/\w+-(\w+)/", django_mail.outbox[-1].body)
        self.secrets["reset link"] = found[1]
        wrong = Client()
        wrong.post("/sign-in/", {"login": self.owner.email, "password": NEW_PASSWORD})
        self.secrets["a password mistyped"] = NEW_PASSWORD
        confirm(self.client)


@pytest.fixture
def logged():
    handler = next(h for h in logging.getLogger().handlers if hasattr(h.formatter, "processors"))
    stream, previous = io.StringIO(), handler.stream
    handler.setStream(stream)
    yield stream.getvalue
    handler.setStream(previous)


@pytest.fixture
def rung(monkeypatch) -> list[str]:
    heard: list[str] = []
    monkeypatch.setattr(
        DoorbellTask, "ring", lambda self, *args, **options: heard.append(repr((args, options)))
    )
    return heard


@pytest.fixture
def story(tenant, owner, monkeypatch, signed_in, django_capture_on_commit_callbacks) -> Story:
    with django_capture_on_commit_callbacks(execute=True):
        return Story(tenant, owner, monkeypatch, signed_in(owner)).run()


def shapes(secret: str | bytes) -> list[re.Pattern[str]]:
    """The ways a secret could be written down: as it is, in hex, in base64, in capitals."""
    data = secret if isinstance(secret, bytes) else secret.encode()
    text = data.decode("latin1")
    # Digits alone must stand alone: a row is full of numbers.
    plain = rf"(?<![.\w]){re.escape(text)}(?!\w)" if text.isdigit() else re.escape(text)
    written = [plain, data.hex(), base64.b64encode(data).decode().rstrip("=")[:-1]]
    if text.isdigit():
        written = [plain, data.hex(), rf"{text[:4]}\xa0{text[4:]}"]
    return [re.compile(pattern, re.IGNORECASE) for pattern in written if len(pattern) > 5]


def found_in(text: str, secrets: dict[str, str | bytes]) -> list[str]:
    return [name for name, secret in secrets.items() if any(s.search(text) for s in shapes(secret))]


def database() -> dict[str, str]:
    """Every table as text; bytes once as they are and once in hex."""
    dump = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608
            dump[table] = "\n".join(_text(value) for row in cursor.fetchall() for value in row)
    return dump


def _text(value: object) -> str:
    if isinstance(value, memoryview | bytes):
        return bytes(value).decode("latin1") + " " + bytes(value).hex()
    return str(value)


def test_the_flows_were_real(story):
    assert Identity.objects.filter(device__isnull=False).exists()
    assert Device.objects.get().state == "active"
    assert all(len(secret) >= 6 for secret in story.secrets.values())
    assert len(story.secrets) == 16


def test_the_search_finds_what_is_there(story):
    for name, secret in story.secrets.items():
        raw = secret if isinstance(secret, bytes) else secret.encode()
        for written in (raw.decode("latin1"), raw.hex(), f'"{raw.decode("latin1")}"'):
            assert found_in(f"x {written} y", {name: secret}) == [name]


def test_no_table_holds_a_secret(story):
    leaks = {table: found_in(text, story.secrets) for table, text in database().items()}
    assert {table: names for table, names in leaks.items() if names} == {}


def test_no_log_line_holds_a_secret(logged, rung, story):
    text = logged()
    assert "apple.scep.refused" in text
    assert found_in(text, story.secrets) == []


def test_no_task_carries_a_secret(rung, story):
    assert rung
    assert found_in("\n".join(rung), story.secrets) == []
    assert all(len(call) < 120 for call in rung), "a task carries one id at most"


def test_a_mail_holds_what_it_is_for_and_nothing_else(story):
    meant = {"PIN", "link", "reset link"}
    for message in django_mail.outbox:
        text = "\n".join(
            [message.subject, message.body, *(part for part, _ in message.alternatives)]
        )
        headers = "\n".join(f"{name}: {value}" for name, value in message.message().items())
        assert set(found_in(text, story.secrets)) <= meant
        assert found_in(headers, story.secrets) == []
        assert found_in(message.subject, story.secrets) == []


def test_no_page_and_no_answer_of_the_api_holds_a_secret(story, client):
    api = Client(headers={"authorization": f"Bearer {story.token}"}, raise_request_exception=False)
    rows = objects_of(story)
    leaks = []
    for route in routes():
        values = next((v for start, v in rows.items() if route.pattern.startswith(start)), {})
        if route.parameters and not values:
            continue
        if route.pattern.startswith(("settings/mail/files", "go", "[Gg]", "enroll")):
            continue
        visitor = api if route.pattern.startswith("api/") else story.client
        text = visitor.get(route.path(**values)).content.decode(errors="replace")
        leaks += [f"{route.pattern}: {name}" for name in found_in(text, story.secrets)]
    assert not leaks, "\n".join(leaks)


def objects_of(story) -> dict[str, dict[str, object]]:
    from core.models import HistoryEntry
    from devices.models import Command
    from enrollment.models import EnrollmentSession, Invitation

    device = Device.objects.get()
    return {
        "devices/": {"pk": device.pk},
        "users/": {"pk": device.user_id},
        "invitations/enrollments/": {"pk": EnrollmentSession.objects.get().pk},
        "invitations/": {"pk": Invitation.objects.get().pk},
        "history/": {"pk": HistoryEntry.objects.latest("pk").pk},
        "api/v1/devices/": {"pk": device.pk},
        "api/v1/commands/": {"pk": Command.objects.filter(kind="DeviceLock").get().pk},
        "api/v1/users/": {"pk": device.user_id},
        "api/v1/invitations/": {"pk": Invitation.objects.get().pk},
        "api/v1/enrollments/": {"pk": EnrollmentSession.objects.get().pk},
    }


def test_the_pin_is_kept_as_a_slow_salted_hash(story):
    from core.models import OneTimeSecret

    row = OneTimeSecret.objects.filter(purpose="pin").first()
    assert row.hash.startswith("scrypt$")
    assert row.used_at is not None


def test_a_revealed_pin_is_written_down_with_who_saw_it(story):
    from core.models import HistoryEntry

    entry = HistoryEntry.objects.get(action="devices.pin.revealed")
    assert entry.actor_label == story.owner.email
    assert str(LOCK_PIN) not in str(entry.data)


def test_only_a_permission_of_its_own_reveals_a_pin(story, tenant):
    auditor = factories.user(tenant, "auditor")
    _row, token = factories.token(auditor)
    api = Client(headers={"authorization": f"Bearer {token}"})
    device = Device.objects.get()
    assert api.post(f"/api/v1/devices/{device.pk}/reveal-pin/").status_code == 403
    assert str(LOCK_PIN).encode() not in api.get(f"/api/v1/devices/{device.pk}/").content

"""Text is never code: not in a page, a mail, a path, a query, a shell or a header."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from django.conf import settings as django_settings
from django.core import mail as django_mail
from django.test import Client

from accounts.models import User
from core.models import OutboxMessage
from core.services import delivery, mail
from devices.models import Device
from enrollment import platforms
from enrollment.models import Invitation
from enrollment.services import invitations, pins
from enrollment.services.pins import IssuedPin
from tests import factories
from tests.enrollment.conftest import SigningPlatform
from tests.enrollment.scenes import SCENES
from tests.portal import confirm
from tests.trust.hostile import EVALUATED, NAME, HostileWorld, later

pytestmark = pytest.mark.django_db
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) Version/18.6 Mobile Safari/604.1"


@pytest.fixture
def world(tenant):
    return HostileWorld(tenant)


@pytest.fixture
def platform(monkeypatch):
    backend = SigningPlatform()
    monkeypatch.setattr(platforms, "_backends", dict.fromkeys(backend.platforms, backend))
    monkeypatch.setattr(pins.PinHasher, "work_factor", 2**4)


@pytest.fixture
def browsing(world, signed_in):
    client = signed_in(world.owner)
    confirm(client)
    return client


def evaluated(text: str) -> list[str]:
    return [mark for mark in EVALUATED if mark in text]


def test_every_page_shows_names_as_text(browsing, world):
    seen, wrong = 0, []
    for path in world.pages():
        answer = browsing.get(path)
        text = answer.content.decode()
        seen += "&lt;svg onload" in text
        if evaluated(text) or answer.status_code >= 500:
            wrong.append(f"{path}: {answer.status_code} {evaluated(text)}")
    assert not wrong, "\n".join(wrong)
    assert seen > 30


def test_what_is_reflected_is_text(browsing, world):
    wrong = []
    names = ("q", "sort", "page", "tab", "state", "status", "next", "email", "sent", "user", "role")
    query = dict.fromkeys((*names, "days", "device", "archived", "about", "seen"), NAME)
    for path in world.pages():
        answer = browsing.get(path.partition("?")[0], query)
        if evaluated(answer.content.decode()) or answer.status_code >= 500:
            wrong.append(f"{path}: {answer.status_code}")
    assert not wrong, "\n".join(wrong)


OPEN = [
    "/go",
    "/go/{0}",
    "/enroll/{0}/profile",
    "/sign-in/",
    "/{0}",
    "/account/password/reset/1-{0}/",
]


@pytest.mark.parametrize("path", OPEN)
def test_open_pages_reflect_text(client, world, path):
    query = dict.fromkeys(("next", "sent", "device", "email", "lang", "q"), NAME)
    headers = {"user-agent": f"{IPHONE} {NAME}", "accept-language": NAME, "referer": NAME}
    answer = client.get(path.format(quote(NAME, safe="")), query, headers=headers)
    assert answer.status_code < 500
    assert evaluated(answer.content.decode()) == []


@pytest.mark.parametrize("name", SCENES)
def test_registration_pages_show_names_as_text(world, platform, name):
    world.tenant.admin = world.owner
    world.terms.delete()
    scene = SCENES[name](world.tenant)
    client = Client(headers={"user-agent": f"{scene.agent} {NAME}"})
    client.cookies[django_settings.GO_COOKIE_NAME] = scene.cookie
    answer = client.get(scene.path, dict.fromkeys(("sent", "lang", "note", "next"), NAME))
    text = answer.content.decode()
    assert "&lt;svg onload" in text
    assert evaluated(text) == []


@pytest.mark.parametrize("form", ["/users/new/", "/invitations/new/", "/settings/organisation/"])
def test_forms_give_back_what_was_typed_as_text(browsing, world, form):
    names = ("email", "emails", "first_name", "last_name", "name", "help_contact", "language")
    answer = browsing.post(form, dict.fromkeys(names, NAME))
    assert answer.status_code in (200, 422)
    assert evaluated(answer.content.decode()) == []


FOLDER = django_settings.BASE_DIR / "templates" / "emails"
TEMPLATES = sorted(path.stem for path in FOLDER.glob("[!_]*.html") if path.stem != "base")


def rendered(world, template: str) -> dict[str, str]:
    from core import outbox

    context = {
        "user": world.owner, "person": world.person, "invitation": world.invitation,
        "link": "https://muster.example/go/abc", "days": 3, "pin_text": NAME,
        "pin": IssuedPin("1234", later(), 3),
        "topic": NAME, "reason": NAME, "device": world.device, "action": NAME, "name": NAME,
    }  # fmt: skip
    message = mail.enqueue(
        tenant=world.tenant, to="pia@acme.test", template=template, context=context
    )
    return outbox.open_body(message)


@pytest.mark.parametrize("template", TEMPLATES)
def test_mails_hold_names_as_text(world, template):
    body = rendered(world, template)
    assert evaluated(body["html"]) == []
    assert "5555" not in body["text"] + body["subject"]
    assert not re.search(r"[\r\n]", body["subject"])


BREAKS = "Ada\r\nBcc: thief@evil.test\r\n\r\nPay here"


@pytest.mark.parametrize(
    "typed",
    [
        "pia@acme.test\r\nBcc: thief@evil.test",
        "pia@acme.test\nthief",
        "pia@acme.test%0d%0aBcc:thief@evil.test",
        "pia@acme.test\u2028Bcc: thief@evil.test",
        '"pia\r\nBcc: thief@evil.test"@acme.test',
        "pia@acme.test\x00",
    ],
)
def test_an_address_with_a_line_break_invites_nobody(signed_in, admin, typed):
    answer = signed_in(admin).post("/invitations/new/", {"emails": typed})
    assert answer.status_code == 422
    assert not Invitation.objects.exists()
    assert not User.objects.exclude(pk=admin.pk).exists()
    assert not OutboxMessage.objects.exists()


def test_a_name_with_line_breaks_reaches_one_recipient(tenant, person, smtp, settings):
    settings.EMAIL_BACKEND = "core.gateways.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", smtp.port
    sender = factories.user(tenant, "administrator", first_name=BREAKS[:80])
    type(tenant).objects.filter(pk=tenant.pk).update(name=BREAKS[:100])
    User.objects.filter(pk=person.pk).update(first_name=BREAKS[:80])
    person.refresh_from_db()
    invitations.invite_user(user=person, actor=sender.actor, sender=sender)
    while delivery.sweep():
        pass
    [got] = smtp.mails
    assert [one.lower() for one in got.recipients] == [person.email]
    assert got.message.get_all("Bcc") is None
    assert got.message.get_all("To") == [person.email]


SHELLS = [
    "$(touch {canary})",
    "`touch {canary}`",
    "a[$(touch {canary})]",
    ";touch {canary}",
    "|touch {canary}",
    "x\ntouch {canary}\n",
    "../../../../{canary}",
    "%2e%2e%2f{canary}",
    "..%5c..%5c{canary}",
    "\\\\{canary}",
    "x'; DROP TABLE accounts_user; --",
]


@pytest.mark.parametrize("attack", SHELLS)
def test_nothing_in_an_address_reaches_a_shell_or_a_file(browsing, world, attack, tmp_path):
    canary = tmp_path / "canary"
    text = attack.replace("{canary}", str(canary))
    for written in (quote(text, safe=""), quote(text)):
        for path in (
            f"/go/{written}",
            f"/go/{written}/go",
            f"/enroll/{written}/profile",
            f"/mdm/apple/scep/{written}",
            f"/mdm/apple/scep/{world.tenant.slug}?operation={written}&message={written}",
            f"/settings/mail/files/{written}/",
            f"/static/{written}",
            f"/account/password/reset/{written}-{written}/",
        ):
            answer = Client(raise_request_exception=False).get(path)
            signed = browsing.get(path)
            assert {answer.status_code, signed.status_code} <= {200, 302, 400, 403, 404, 410}, path
            assert b"SECRET" not in signed.content
    assert browsing.get("/sign-in/", headers={"host": text.replace("\n", "")}).status_code == 400
    assert not canary.exists()


def test_no_file_outside_the_mail_folder_is_shown(browsing, world, settings, tmp_path):
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.MAIL_DIR = tmp_path / "mail"
    settings.MAIL_DIR.mkdir()
    (tmp_path / "secret.log").write_text("Subject: secret\n\nthe key")
    for name in ("../secret.log", "..%2fsecret.log", "%2e%2e%2fsecret.log", "..\\secret.log", "."):
        answer = browsing.get(f"/settings/mail/files/{name}/")
        assert b"the key" not in answer.content, name


QUERIES = [
    "'", '"', "`", "--", ");--", "name);--", "' OR '1'='1", "name'", "-", "--name", "?", "%", "\\",
    "name,password", "user__password", "channels__sealed_push", "physical__tenant__slug", "pk__in",
    "_connector", "__", "tenant", "sealed_pin", "user__api_tokens__hash", "{0}", "\x00", "\ud800",
]  # fmt: skip
SORTING = ("sort", "order", "ordering", "order_by", "fields", "filter[name]", "per_page")
CHOOSING = ("page", "q", "state", "status", "platform", "user", "role", "about", "sent", "from")


@pytest.mark.parametrize("path", ["/devices/", "/users/", "/invitations/", "/history/"])
def test_only_listed_names_sort_and_filter(browsing, world, path):
    """An unknown sort key is no fault: the list comes in its own order, and shows nothing more."""
    plain = rows_of(browsing.get(path))
    for text in (text.encode("utf-8", "surrogatepass") for text in QUERIES):
        assert rows_of(browsing.get(path, dict.fromkeys(SORTING, text))) == plain, text
        answer = browsing.get(path, dict.fromkeys(CHOOSING, text))
        assert answer.status_code in (200, 400), text


def rows_of(answer) -> list[str]:
    table = answer.context.get("table") if answer.context else None
    return [str(row.record.pk) for row in table.page] if table is not None else []


def test_keys_of_a_query_are_not_keywords_of_a_filter(browsing, world):
    plain = rows_of(browsing.get("/devices/"))
    for key in (
        "_connector",
        "__class__",
        "tenant",
        "tenant_id",
        "pk",
        "user__password__startswith",
    ):
        assert rows_of(browsing.get("/devices/", {key: "x"})) == plain


def test_a_name_is_searched_for_as_it_is(browsing, world):
    """Signs that a database pattern knows mean themselves."""
    for text in ("%", "_", "\\", "%%", "' OR 1=1 --"):
        found = rows_of(browsing.get("/devices/", {"q": f"zzz{text}"}))
        assert found == []
    assert Device.objects.count() == 1


def test_the_test_mails_went_nowhere_else():
    assert django_mail.outbox == []
    assert "locmem" in django_settings.EMAIL_BACKEND

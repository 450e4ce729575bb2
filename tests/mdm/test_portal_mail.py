from __future__ import annotations

import pytest

from core.models import OutboxMessage
from core.services import delivery
from tests.portal import path, text

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def mail_folder(settings, tmp_path):
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = settings.MAIL_DIR = tmp_path / "mail"
    return settings.MAIL_DIR


def test_a_test_mail_is_written_and_can_be_read(signed_in, owner):
    client = signed_in(owner)
    client.post(path("settings-mail-test"))
    delivery.sweep()
    page = client.get(path("settings-mail"))
    assert "No mail server is configured" in text(page)
    (listed,) = page.context["files"]
    assert listed["to"] == owner.email
    mail = text(client.get(path("settings-mail-file", listed["name"])))
    assert "this server can send mails" in mail


def test_only_so_many_test_mails_are_sent(signed_in, owner):
    client = signed_in(owner)
    for _ in range(7):
        response = client.post(path("settings-mail-test"), follow=True)
    assert "Wait a minute" in text(response)
    assert OutboxMessage.objects.count() == 5


@pytest.mark.parametrize("who", ["auditor", "helpdesk"])
def test_written_mails_hold_secrets_and_are_not_for_everybody(request, signed_in, who, mail_folder):
    mail_folder.mkdir()
    (mail_folder / "one.log").write_bytes(b"Subject: PIN\nTo: a@b.c\n\n1234")
    client = signed_in(request.getfixturevalue(who))
    assert client.get(path("settings-mail-file", "one.log")).status_code == 403
    assert "one.log" not in text(client.get(path("settings-mail")))


@pytest.mark.parametrize("name", ["..", "secret_key", "..%2Fsecret_key", "one.txt", "none.log"])
def test_nothing_but_mails_can_be_read(signed_in, owner, mail_folder, name):
    mail_folder.mkdir()
    (mail_folder.parent / "secret_key").write_text("hush")
    (mail_folder / "one.txt").write_text("hush")
    response = signed_in(owner).get(f"/settings/mail/files/{name}/")
    assert response.status_code == 404
    assert b"hush" not in response.content


def test_a_hostile_mail_is_shown_as_text(signed_in, owner, mail_folder):
    mail_folder.mkdir()
    body = b"Subject: =?utf-8?q?=3Cscript=3E?=\nTo: a@b.c\n\n<script>alert(1)</script> \xff\xfe"
    (mail_folder / "one.log").write_bytes(body)
    client = signed_in(owner)
    assert client.get(path("settings-mail")).status_code == 200
    page = text(client.get(path("settings-mail-file", "one.log")))
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_a_mail_that_was_given_up_can_be_tried_again(signed_in, owner, tenant):
    row = OutboxMessage.objects.create(
        tenant=tenant, kind="mail", status="quarantined", attempts=5, recipient="a@acme.test"
    )
    client = signed_in(owner)
    assert "Try the mail to a@acme.test again" in text(client.get(path("settings-mail")))
    client.post(path("settings-mail-retry", row.pk))
    row.refresh_from_db()
    assert (row.status, row.attempts) == ("pending", 0)


def test_mails_of_others_stay_as_they_are(signed_in, owner, other_tenant):
    row = OutboxMessage.objects.create(tenant=other_tenant, kind="mail", status="quarantined")
    signed_in(owner).post(path("settings-mail-retry", row.pk))
    row.refresh_from_db()
    assert row.status == "quarantined"

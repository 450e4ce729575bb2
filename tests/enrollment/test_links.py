"""S-58, S-62, U-37: links of invitations, however they come back."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine

from core import clock
from core.models import OneTimeSecret
from enrollment.models import EnrollmentSession, Invitation, InvitationStatus
from enrollment.services import invitations, links
from tests.enrollment.conftest import ADMIN

pytestmark = pytest.mark.django_db


def token(letter) -> str:
    return letter.link.split("/go/")[1]


def test_a_link_has_128_bits_and_only_its_hash_is_kept(invited):
    _invitation, letter = invited()
    assert len(token(letter)) == 26
    assert not [row for row in OneTimeSecret.objects.values() if token(letter) in str(row)]


@pytest.mark.parametrize("method", ["get", "head"])
def test_a_mail_scanner_changes_nothing(invited, pages, method):
    invitation, letter = invited()
    before = list(OneTimeSecret.objects.order_by("pk").values())
    for _number in range(10):
        answer = getattr(pages().client, method)(letter.link)
        assert answer.status_code == 200
        assert "muster-go" not in answer.cookies
    assert list(OneTimeSecret.objects.order_by("pk").values()) == before
    invitation.refresh_from_db()
    assert (invitation.status, invitation.opened_at) == (InvitationStatus.PENDING, None)
    assert not EnrollmentSession.objects.exists()


@pytest.mark.parametrize("shape", ["/go/{0}", "/go/{0}/", "/go/{0}/go", "/GO/{1}", "/go/{1}/go"])
def test_the_link_works_however_it_was_copied(invited, pages, shape):
    _invitation, letter = invited()
    path = shape.format(token(letter), token(letter).upper())
    page = pages()
    answer = page.client.get(path, follow=True)
    assert 'data-step="start"' in answer.content.decode()
    assert page.open(answer.request["PATH_INFO"]).send("start").step == "pin"


def test_capitals_do_not_lead_in_circles(pages):
    client = pages().client
    assert client.get("/GO").headers["Location"] == "/go"
    assert client.get("/GO/ABC/DEF/GO").headers["Location"] == "/go/abc/def/go"
    assert client.get("/go/abc/def/go").status_code == 404


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/go/abcdefghijklmnopqrstuvwxyz", "This link does not work"),
        ("/go/x", "This link does not work"),
        ("/go/%00%ff", "This link does not work"),
        ("/go/" + "a" * 3000, "This link does not work"),
        ("/go/<svg onload=alert(1)>", "This link does not work"),
    ],
)
def test_a_link_that_we_never_made_gets_a_friendly_page(tenant, pages, path, says):
    page = pages().open(path)
    assert page.response.status_code == 404
    assert says in page.html
    assert "<svg onload" not in page.html
    assert page.step == ""


def test_an_expired_link_says_so_and_whom_to_ask(invited, pages):
    _invitation, letter = invited()
    with time_machine.travel(clock.now() + dt.timedelta(days=7, minutes=1)):
        page = pages().open(letter.link)
        assert page.response.status_code == 410
        assert "This invitation has expired" in page.html
        assert "Adam" in page.html
        assert page.send("start").response.status_code == 410
    assert not EnrollmentSession.objects.exists()


def test_a_link_is_for_one_address(invited, pages):
    invitation, letter = invited()
    type(invitation.user).objects.filter(pk=invitation.user_id).update(email="changed@acme.test")
    assert pages().open(letter.link).response.status_code == 410


def test_a_disabled_person_has_no_link(invited, pages):
    from accounts.services import users

    invitation, letter = invited()
    page = pages().open(letter.link).send("start")
    users.set_enabled(user=invitation.user, enabled=False, actor=ADMIN)
    assert page.open(letter.link).response.status_code == 410
    assert pages().open(letter.link).response.status_code == 410


def test_a_finished_invitation_opens_for_another_device(invited, pages):
    invitation, letter = invited()
    Invitation.objects.filter(pk=invitation.pk).update(status=InvitationStatus.COMPLETED)
    assert pages().open(letter.link).step == "start"


def test_links_come_from_the_settings_never_from_a_request(invited, pages, settings):
    invitation, letter = invited()
    settings.MUSTER_PUBLIC_URL = "https://mdm.acme.test"
    page = pages()
    evil = page.client.get(letter.link, headers={"host": "evil.tld"})
    assert evil.status_code == 400
    page.client.get(letter.link, headers={"x-forwarded-host": "evil.tld"})
    html = page.open(f"{letter.link}?device=other").html
    assert "https://mdm.acme.test/go/" in html
    assert "evil.tld" not in html
    url = invitations.share_link(invitation=invitation, actor=ADMIN)
    assert url.startswith("https://mdm.acme.test/go/")


def test_the_qr_code_holds_the_link_and_nothing_else(invited, pages, monkeypatch):
    """S-59: drawn here, an address with an opaque token."""
    drawn = []
    import qrcode

    monkeypatch.setattr(qrcode.QRCode, "add_data", lambda self, text, **_: drawn.append(text))
    monkeypatch.setattr(qrcode.QRCode, "make", lambda self, **_: None)
    monkeypatch.setattr(qrcode.QRCode, "get_matrix", lambda self: [[True]])
    invitation, letter = invited()
    pages().open(f"{letter.link}?device=other")
    assert drawn == [links.url_of(invitation.tenant, token(letter))]
    assert invitation.user.email not in drawn[0]
    assert letter.pin not in drawn[0]


def test_opening_a_page_costs_few_queries(invited, pages, django_assert_max_num_queries):
    _invitation, letter = invited()
    page = pages()
    with django_assert_max_num_queries(8):
        page.client.get(letter.link)
    page.open(letter.link).send("start")
    with django_assert_max_num_queries(9):
        page.client.get(letter.link)
    with django_assert_max_num_queries(4):
        page.client.get("/go/status")

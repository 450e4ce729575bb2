"""U-36: what the mails say, in text and HTML, and what they never hold."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from enrollment.services import letters
from tests import factories

pytestmark = pytest.mark.django_db


class Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links, self.images, self.text = [], 0, []

    def handle_starttag(self, tag, attrs):
        if tag == "a":
            self.links.append(dict(attrs).get("href"))
        self.images += tag in ("img", "picture", "svg")

    def handle_data(self, data):
        self.text.append(data)


def parsed(letter) -> Links:
    parser = Links()
    parser.feed(letter.html)
    return parser


def urls(text: str) -> list[str]:
    return re.findall(r"https?://\S+", text)


@pytest.fixture
def letter(tenant, invited):
    tenant.help_contact = "the service desk, extension 4711"
    tenant.time_zone = "Europe/Paris"
    tenant.save()
    return invited()[1]


def test_the_invitation_says_all_that_matters(letter):
    for text in (letter.text, " ".join(parsed(letter).text)):
        assert "Adam of Acme Aerospace invites you" in text
        assert letter.pin in text.replace("\u00a0", "")
        assert "valid for 7 days (until" in text
        assert "for 3 days (until" in text
        assert "extension 4711" in text
        assert "what it can see and what it cannot" in text
        assert "about five minutes" in text
    assert letter.subject == "Register your device with Acme Aerospace"


def test_one_link_and_the_same_in_both_parts(letter):
    assert len(urls(letter.text)) == 1
    assert parsed(letter).links == urls(letter.text)


def test_it_works_without_images_and_in_the_dark(letter):
    assert parsed(letter).images == 0
    assert "url(" not in letter.html
    assert 'name="color-scheme" content="light dark"' in letter.html
    assert "prefers-color-scheme: dark" in letter.html


def test_the_simulated_person_reads_link_and_pin(letter):
    from simulator.mailbox import PIN

    assert re.sub(r"\D", "", PIN.search(letter.text.replace(letter.link, ""))[1]) == letter.pin


def test_no_pin_in_a_subject_and_no_line_break(letter, tenant, invited, mails):
    assert letter.pin not in letter.subject
    tenant.name = "Acme\r\nBcc: eve@evil.test"
    tenant.save()
    _invitation, newer = invited("second@acme.test")
    assert "\n" not in newer.subject
    assert "\r" not in newer.subject
    from django.core import mail as django_mail

    message = django_mail.outbox[-1]
    assert message.recipients() == ["second@acme.test"]
    assert message.message()["Bcc"] is None


@pytest.mark.parametrize(
    ("digits", "shown"),
    [
        ("1234", "1234"),
        ("12345", "123 45"),
        ("123456", "123 456"),
        ("12345678", "1234 5678"),
        ("123456789012", "1234 5678 9012"),
    ],
)
def test_a_pin_is_shown_in_groups(digits, shown):
    assert letters.grouped(digits) == shown.replace(" ", "\u00a0")


@pytest.mark.parametrize(
    "template", ["invitation", "pin", "link", "reminder", "pin_not_needed", "invitation_ended"]
)
@pytest.mark.parametrize("has_password", [True, False])
@pytest.mark.parametrize("has_invitation", [True, False])
def test_every_mail_is_whole_in_every_case(
    tenant, admin, invited, mails, template, has_password, has_invitation
):
    user = factories.user(tenant, password="long enough" if has_password else None)
    invitation = invited(user.email)[0] if has_invitation else None
    is_pin_wanted = True if template == "pin" else None
    letters.send(
        user,
        invitation,
        template,
        key="test",
        is_pin_wanted=is_pin_wanted,
        is_unopened=has_invitation,
    )
    letter = mails()[-1]
    for text in (letter.subject, letter.text, letter.html):
        assert text.strip()
        assert "None" not in text
        assert "{{" not in text
        assert "{%" not in text
    assert "&#x27;" not in letter.text
    assert "\n\n\n\n" not in letter.text
    assert len(urls(letter.text)) <= 1
    assert max(len(line) for line in letter.html.splitlines()) < 900, "RFC 5322 §2.1.1"


def test_names_are_escaped_in_html_and_plain_in_text(tenant, mails):
    user = factories.user(tenant, first_name="Ada <b>", last_name="O'Neil & Co")
    letters.send(user, None, "link", key="test")
    letter = mails()[-1]
    assert "Hello Ada <b> O'Neil & Co," in letter.text
    assert "Ada &lt;b&gt; O&#x27;Neil &amp; Co" in letter.html


def test_the_language_is_that_of_the_person(tenant, invited):
    factories.user(tenant, password=None, email="fr@acme.test", language="fr")
    assert 'lang="fr"' in invited("fr@acme.test", language="en")[1].html
    assert 'lang="fr"' in invited("new@acme.test", language="fr")[1].html
    tenant.language = "fr"
    tenant.save()
    assert 'lang="fr"' in invited("other@acme.test")[1].html


def test_dates_are_local_to_the_person(tenant, invited):
    import datetime as dt
    import zoneinfo

    from django.utils.formats import date_format

    factories.user(
        tenant, password=None, email="tokyo@acme.test", time_zone="Asia/Tokyo", language="en"
    )
    invitation, letter = invited("tokyo@acme.test")
    local = invitation.expires_at.astimezone(zoneinfo.ZoneInfo("Asia/Tokyo"))
    assert date_format(local, "DATETIME_FORMAT") in letter.text
    assert local.utcoffset() == dt.timedelta(hours=9)


def test_a_reminder_says_that_it_ends(tenant, admin, invited, mails):
    invitation, _letter = invited()
    letters.send(invitation.user, invitation, "reminder", key="test", is_unopened=True)
    letter = mails()[-1]
    assert "stop by themselves" in letter.text
    assert "You can also stop them there" in letter.text
    assert "Adam of Acme Aerospace invited you" in letter.text

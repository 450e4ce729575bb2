"""People: they read mails and walk through the pages, and stop where the pages stop them."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage

import pytest

from simulator import registration
from simulator.browser import Browser
from simulator.errors import PageRefused
from simulator.mailbox import MailFolder, SmtpInbox, read_invitation
from simulator.person import Person
from tests.simulator.standin import LINK, PIN


def mail(text: str, recipient: str = "Anna <anna@example.com>") -> EmailMessage:
    message = EmailMessage()
    message["To"], message["Subject"] = recipient, "Set up your device"
    message.set_content(text)
    message.add_alternative("<p>Hello</p>", subtype="html")
    return message


def test_from_the_mail_to_a_managed_device(standin, iphone):
    invitation = read_invitation(mail(f"Open {standin.link}\n\nPIN: {PIN}\n"))
    Person("anna@example.com").accept(iphone, invitation)
    assert iphone.is_managed
    assert set(standin.device_cookies) == {None}


def test_a_wrong_pin_is_reported_in_the_pages_words(standin, iphone):
    with pytest.raises(PageRefused) as refused:
        Person().enroll(iphone, standin.link, pin="00000000")
    assert refused.value.step == "pin"
    assert refused.value.errors == ["This PIN is not correct."]


def test_an_unknown_link_is_reported(standin, iphone):
    with pytest.raises(PageRefused, match="This link is not known"):
        Person().enroll(iphone, f"{standin.url}/go/OTHER", pin=PIN)


def test_without_a_pin_nobody_gets_past_the_pin_page(standin, http):
    with pytest.raises(PageRefused) as refused:
        registration.register(Browser(http), standin.link, password="x")
    assert refused.value.step == "pin"


def test_two_browsers_share_no_cookies(standin, http):
    first, second = Browser(http), Browser(http)
    registration.register(first, standin.link, pin=PIN, password="x")
    assert second.open(standin.link).step == "start"


@pytest.mark.parametrize(
    ("text", "pin"),
    [
        ("Your PIN: 48213907\n", "48213907"),
        ("Your PIN is\n\n    4821 3907\n\nIt is valid until 24 November 2026.", "48213907"),
        ("Votre code PIN :\n4821\u00a03907\n", "48213907"),
        ("No PIN is needed. Call +33 1 23 45 67 89.", None),
    ],
)
def test_finds_the_pin_in_the_text(text, pin):
    found = read_invitation(mail(f"{text}\nhttps://mdm.example.com/go/{LINK}\n2026"))
    assert (found.link, found.pin) == (f"https://mdm.example.com/go/{LINK}", pin)


def test_reads_a_folder_of_mails(tmp_path):
    one = mail(f"http://127.0.0.1:8000/go/{LINK}\nPIN: 1234").as_bytes()
    two = mail("nothing here", "Ben <ben@example.com>").as_bytes()
    (tmp_path / "a.log").write_bytes(one + b"\n" + b"-" * 79 + b"\n" + two)
    folder = MailFolder(tmp_path)
    assert len(folder.messages()) == 2
    assert [i.pin for i in folder.invitations("anna@example.com")] == ["1234"]
    assert folder.invitations("ben@example.com") == []


async def _deliver(inbox, content):
    return await inbox.handle_DATA(None, None, type("Envelope", (), {"content": content}))


def test_receives_mail_by_smtp():
    inbox = SmtpInbox()
    content = mail(f"http://127.0.0.1:8000/go/{LINK}\nPIN: 1234").as_bytes()
    # A thread of its own: the browser tests keep an event loop on this one.
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(asyncio.run, _deliver(inbox, content)).result(10)
    assert answer.startswith("250")
    assert inbox.invitations("ANNA@example.com")[0].pin == "1234"

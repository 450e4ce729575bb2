from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage

import pytest

from tests.fakes.certificates import Authority
from tests.fakes.smtp import Drop, FakeSMTP, Reply


@pytest.fixture
def smtp():
    with FakeSMTP() as fake:
        yield fake


def letter(recipient="ada@example.com"):
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "muster@example.com", recipient, "Hello é"
    message.set_content("plain text")
    message.add_alternative("<p>html</p>", subtype="html")
    return message


def send(smtp, message=None):
    with smtplib.SMTP("127.0.0.1", smtp.port, timeout=5) as client:
        return client.send_message(message or letter())


def test_an_accepted_mail_can_be_read_back(smtp):
    send(smtp)
    mail = smtp.wait_for(1, to="ada@example.com")[0]
    assert (mail.subject, mail.part().strip()) == ("Hello é", "plain text")
    assert "<p>html</p>" in mail.part("html")


@pytest.mark.parametrize("line", ["421 later", "450 busy", "550 nobody here"])
def test_a_scripted_refusal_is_given_once(smtp, line):
    smtp.refuse_next(Reply(line, "RCPT"))
    with pytest.raises(smtplib.SMTPException):
        send(smtp)
    send(smtp)
    assert len(smtp.mails) == 1


def test_a_lasting_refusal_hits_its_recipient_only(smtp):
    smtp.refuse_always(Reply("550 nobody here", "RCPT", "gone@example.com"))
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        send(smtp, letter("gone@example.com"))
    send(smtp)
    assert [mail.recipients for mail in smtp.mails] == [("ada@example.com",)]


@pytest.mark.parametrize("is_kept", [True, False])
def test_a_connection_can_break_between_the_last_line_and_its_answer(smtp, is_kept):
    smtp.drop_next(Drop(is_kept))
    with pytest.raises(smtplib.SMTPServerDisconnected):
        send(smtp)
    assert len(smtp.mails) == is_kept
    send(smtp)
    assert len(smtp.mails) == is_kept + 1


def test_a_tarpit_outlasts_an_impatient_client(smtp):
    smtp.tarpit_seconds = 30
    disconnected = (TimeoutError, smtplib.SMTPServerDisconnected)
    with smtplib.SMTP("127.0.0.1", smtp.port, timeout=0.3) as client, pytest.raises(disconnected):
        client.send_message(letter())
    assert smtp.mails == []


def test_starttls_with_login_works_and_is_demanded():
    authority = Authority()
    trusting = ssl.create_default_context(cadata=authority.certificate_pem.decode())
    with (
        FakeSMTP(certificate=authority.server(), username="muster", password="secret") as smtp,
        smtplib.SMTP("localhost", smtp.port, timeout=5) as client,
    ):
        with pytest.raises(smtplib.SMTPException):
            client.sendmail("a@example.com", ["b@example.com"], "x")
        client.starttls(context=trusting)
        client.login("muster", "secret")
        client.send_message(letter())
        assert len(smtp.mails) == 1


def test_an_expired_certificate_is_refused_by_a_checking_client():
    authority = Authority()
    trusting = ssl.create_default_context(cadata=authority.certificate_pem.decode())
    with (
        FakeSMTP(certificate=authority.server(is_expired=True)) as smtp,
        smtplib.SMTP("localhost", smtp.port, timeout=5) as client,
        pytest.raises(ssl.SSLCertVerificationError),
    ):
        client.starttls(context=trusting)

"""Mail over a real SMTP server: what it refuses, what it delays, and whom we do not trust."""

from __future__ import annotations

import datetime as dt
import socket
import threading
import time
from contextlib import suppress

import pytest
from django.core.exceptions import ValidationError

from core import clock, outbox
from core.gateways import smtp as smtp_gateway
from core.models import OutboxMessage, OutboxStatus
from core.services import delivery, mail
from tests.fakes.certificates import Authority
from tests.fakes.smtp import Drop, FakeSMTP, Reply

pytestmark = pytest.mark.django_db
ADDRESS = "pia@acme.test"


@pytest.fixture
def use(settings):
    """Let the server send through a mail server."""

    def apply(server, **more):
        settings.EMAIL_BACKEND = "core.gateways.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "localhost", server.port
        settings.EMAIL_TIMEOUT = 2
        for name, value in more.items():
            setattr(settings, name, value)

    return apply


@pytest.fixture
def message(tenant):
    body = {"to": ADDRESS, "subject": "Hello", "text": "PIN 12345678", "html": "<p>PIN</p>"}
    return outbox.enqueue(
        tenant=tenant, kind=mail.KIND, body=body, recipient=ADDRESS, due_at=clock.now()
    )


def deliver(message):
    delivery.deliver(message.pk)
    message.refresh_from_db()
    return message


def test_a_mail_leaves_once_as_text_and_html(use, smtp, message):
    use(smtp)
    assert deliver(message).status == OutboxStatus.DELIVERED
    deliver(message)
    (sent,) = smtp.mails_to(ADDRESS)
    assert (sent.part().strip(), sent.part("html").strip()) == ("PIN 12345678", "<p>PIN</p>")
    assert bytes(message.sealed_body) == b""


@pytest.mark.parametrize("line", ["421 closing", "450 mailbox busy", "451 local error"])
@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA"])
def test_what_the_server_cannot_take_now_is_sent_later(use, smtp, message, line, stage):
    use(smtp)
    smtp.refuse_next(Reply(line, stage))
    assert deliver(message).status == OutboxStatus.PENDING
    assert message.due_at > clock.now()
    OutboxMessage.objects.update(due_at=clock.now())
    assert deliver(message).status == OutboxStatus.DELIVERED
    assert len(smtp.mails) == 1


@pytest.mark.parametrize("line", ["550 no such user", "552 mailbox full", "554 refused"])
def test_what_the_server_will_never_take_is_given_up_with_its_reason(use, smtp, message, line):
    use(smtp)
    smtp.refuse_always(Reply(line, "RCPT"))
    assert deliver(message).status == OutboxStatus.UNDELIVERABLE
    assert message.last_error == line
    assert smtp.attempts == 1


def test_one_bad_recipient_does_not_hold_the_others(use, smtp, tenant, message):
    use(smtp)
    smtp.refuse_always(Reply("550 no such user", "RCPT", "gone@acme.test"))
    body = {"to": "gone@acme.test", "subject": "Hello", "text": "text"}
    outbox.enqueue(tenant=tenant, kind=mail.KIND, body=body, due_at=clock.now())
    delivery.sweep()
    assert [sent.recipients for sent in smtp.mails] == [(ADDRESS,)]


def test_a_tarpit_costs_its_time_limit_and_no_mail(use, smtp, message, settings):
    use(smtp, EMAIL_TIMEOUT=0.3)
    smtp.tarpit_seconds = 30
    assert deliver(message).status == OutboxStatus.PENDING
    assert "mail server" in message.last_error


class Teasing:
    """A mail server that takes its time: says nothing at all, or a byte now and then, for ever."""

    def __init__(self, *, says: bytes) -> None:
        self._says, self._stopped = says, threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.bytes_sent = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            line, _address = self._listener.accept()
            with line:
                while not self._stopped.wait(0.02):
                    line.sendall(self._says)
                    self.bytes_sent += len(self._says)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._stopped.set()
        self._listener.close()


@pytest.mark.parametrize("tls", [{}, {"EMAIL_USE_SSL": True}])
@pytest.mark.parametrize("says", [b"", b"2"])
def test_a_server_that_never_ends_its_banner_is_left_in_time(use, message, monkeypatch, says, tls):
    """Each byte comes within the time limit of a read; the session has one of its own."""
    monkeypatch.setattr(smtp_gateway, "SESSION_SECONDS", 0.6)
    with Teasing(says=says) as server:
        use(server, EMAIL_TIMEOUT=0.3 if not says else 20, **tls)
        begun = time.monotonic()
        assert deliver(message).status == OutboxStatus.PENDING
        assert time.monotonic() - begun < 10
        assert bool(server.bytes_sent) == bool(says)
    assert message.last_error


def test_the_time_of_a_mail_session_is_shorter_than_the_lease_of_its_mail():
    assert delivery.LEASE.total_seconds() > smtp_gateway.SESSION_SECONDS


def test_a_session_that_ends_well_leaves_nothing_behind(use, smtp, message):
    use(smtp)
    assert deliver(message).status == OutboxStatus.DELIVERED
    waiting = (one for one in threading.enumerate() if isinstance(one, threading.Timer))
    for timer in waiting:
        timer.join(timeout=10)
        assert not timer.is_alive()


def repeat(message):
    """Deliver a delayed message when its time has come."""
    OutboxMessage.objects.filter(pk=message.pk).update(due_at=clock.now())
    return deliver(message)


def test_a_mail_that_is_dropped_before_its_answer_is_sent_again(use, smtp, message):
    use(smtp)
    smtp.drop_next(Drop())
    assert deliver(message).status == OutboxStatus.PENDING
    assert message.due_at > clock.now()
    assert message.last_error == "mail server: SMTPServerDisconnected"
    assert bytes(message.sealed_body), "it is still needed"
    assert smtp.mails == []
    assert repeat(message).status == OutboxStatus.DELIVERED
    assert [sent.part().strip() for sent in smtp.mails_to(ADDRESS)] == ["PIN 12345678"]


def test_a_mail_that_was_taken_and_not_answered_comes_twice_under_one_name(use, smtp, message):
    """Mail servers and readers drop the second copy by its Message-ID; a lost PIN cannot be."""
    use(smtp)
    smtp.drop_next(Drop(is_kept=True))
    assert deliver(message).status == OutboxStatus.PENDING
    assert repeat(message).status == OutboxStatus.DELIVERED
    first, second = smtp.mails_to(ADDRESS)
    assert first.message["message-id"] == second.message["message-id"]
    assert str(message.pk) in first.message["message-id"]
    assert first.part() == second.part()
    deliver(message)
    assert len(smtp.mails) == 2


def test_a_server_that_drops_every_mail_is_given_up_with_the_mail_kept(use, smtp, message):
    use(smtp)
    smtp.drop_next(*[Drop()] * 9)
    for _try in range(delivery.MAX_ATTEMPTS):
        repeat(message)
    assert message.status == OutboxStatus.QUARANTINED
    assert bytes(message.sealed_body)
    assert smtp.mails == []
    smtp.clear()
    delivery.retry_quarantined(message.pk, tenant_id=message.tenant_id)
    assert deliver(message).status == OutboxStatus.DELIVERED
    assert len(smtp.mails) == 1


def test_one_dropped_mail_does_not_hold_the_others(use, smtp, tenant, message):
    use(smtp)
    smtp.drop_next(Drop())
    body = {"to": "carl@acme.test", "subject": "Hello", "text": "text"}
    outbox.enqueue(tenant=tenant, kind=mail.KIND, body=body, due_at=clock.now())
    assert delivery.sweep() == 1
    assert len(smtp.mails) == 1
    OutboxMessage.objects.filter(status=OutboxStatus.PENDING).update(due_at=clock.now())
    assert delivery.sweep() == 1
    assert {sent.recipients for sent in smtp.mails} == {(ADDRESS,), ("carl@acme.test",)}


def test_a_server_that_is_down_for_twenty_minutes_loses_no_mail(use, message, time_machine):
    use(FakeSMTP(), EMAIL_PORT=1)
    start = clock.now()
    time_machine.move_to(start)
    while deliver(message).status == OutboxStatus.PENDING:
        if message.due_at - start > dt.timedelta(minutes=20):
            break
        time_machine.move_to(message.due_at + dt.timedelta(seconds=1))
    assert message.status == OutboxStatus.PENDING


@pytest.mark.parametrize("fault", ["expired", "another name", "unknown authority"])
def test_a_mail_server_with_a_wrong_certificate_gets_no_mail(
    use, message, authority, tmp_path, monkeypatch, fault
):
    """S-117: neither mail nor password go to somebody who cannot prove who it is."""
    trusted = Authority("Somebody else") if fault == "unknown authority" else authority
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted.write(tmp_path)))
    hosts = ("mail.example.org",) if fault == "another name" else ()
    certificate = authority.server(*hosts, is_expired=fault == "expired")
    with FakeSMTP(certificate=certificate, username="muster", password="secret") as server:
        use(server, EMAIL_USE_TLS=True, EMAIL_HOST_USER="muster", EMAIL_HOST_PASSWORD="secret")
        assert deliver(message).status == OutboxStatus.PENDING
        assert server.mails == []


def test_a_mail_server_with_a_right_certificate_gets_it(
    use, message, authority, tmp_path, monkeypatch
):
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.write(tmp_path)))
    with FakeSMTP(certificate=authority.server(), username="muster", password="secret") as server:
        use(server, EMAIL_USE_TLS=True, EMAIL_HOST_USER="muster", EMAIL_HOST_PASSWORD="secret")
        assert deliver(message).status == OutboxStatus.DELIVERED
        assert len(server.mails) == 1


def test_a_wrong_password_of_ours_says_nothing_about_the_recipient(use, message):
    with FakeSMTP(username="muster", password="right") as server:
        use(server, EMAIL_HOST_USER="muster", EMAIL_HOST_PASSWORD="wrong")
        assert deliver(message).status == OutboxStatus.PENDING


@pytest.mark.parametrize("address", ["a@b.test\nBcc: x@y.test", "a@b.test\r\nX: y", "nobody"])
def test_an_address_that_is_none_is_refused_by_us(tenant, address):
    with pytest.raises(ValidationError):
        mail.enqueue(tenant=tenant, to=address, template="invitation", context={})
    assert OutboxMessage.objects.count() == 0

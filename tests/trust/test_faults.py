"""What breaks on the way from an invitation to its reader: nothing is lost, nothing doubled, and
nobody is told what is not so. The numbers are those of docs/trust.md."""

from __future__ import annotations

import datetime as dt
import socket

import pytest

from core import clock
from core.models import AnsweredCall, HistoryEntry, OutboxMessage, OutboxStatus
from enrollment.models import Invitation, InvitationStatus
from enrollment.services import invitations
from enrollment.services.letters import KIND as LETTER
from tests import factories
from tests.api.conftest import Caller
from tests.enrollment.conftest import ADMIN, deliver_all, mailbox, quick_pins
from tests.fakes.smtp import Drop, Reply
from tests.portal import path, text

pytestmark = pytest.mark.django_db
__all__ = ["quick_pins"]
ADDRESS = "pia.person@acme.test"


class Killed(BaseException):
    """The process dies here: nothing after it runs, as after kill -9."""


@pytest.fixture
def caller(owner):
    return Caller(factories.token(owner)[1])


@pytest.fixture
def mail_server(settings, smtp):
    settings.EMAIL_BACKEND = "core.gateways.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", smtp.port
    settings.EMAIL_TIMEOUT = 2
    return smtp


def invite(tenant, *emails):
    return invitations.invite(tenant=tenant, emails=list(emails), actor=ADMIN)


def later(time_machine, minutes: int = 20) -> None:
    """Let time pass, and the workers do what is due by then."""
    time_machine.move_to(clock.now() + dt.timedelta(minutes=minutes))
    deliver_all()


# F01: the process that takes an invitation is killed


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("moment", ["before", "inside", "on the way out"])
def test_a_call_that_is_killed_and_repeated_invites_once(caller, tenant, monkeypatch, moment):
    body, key = {"emails": [ADDRESS]}, {"Idempotency-Key": "invite-1"}

    def die(*_args, **_options):
        raise Killed

    with monkeypatch.context() as patch:
        if moment == "before":
            patch.setattr("enrollment.services.invitations.letters.queue_invitation", die)
        elif moment == "inside":
            patch.setattr("core.models.AnsweredCall.save", die)
        else:
            patch.setattr("rest_framework.views.APIView.finalize_response", die)
        with pytest.raises(Killed):
            caller.post("invitations/", body, **key)
    is_kept = moment == "on the way out"
    assert Invitation.objects.count() == AnsweredCall.objects.count() == is_kept
    assert HistoryEntry.objects.filter(action="enrollment.invitation.sent").count() == is_kept
    answer = caller.post("invitations/", body, **key)
    assert answer.status_code == 201
    assert answer.headers.get("Idempotency-Replayed", "") == ("true" if is_kept else "")
    assert Invitation.objects.get().sent_count == 1
    deliver_all()
    assert [letter.to for letter in mailbox()] == [ADDRESS]


# F22: a mail server that takes its time


def test_whoever_invites_does_not_wait_for_the_mail_server(caller, tenant, settings):
    """Not one connection is made while the call is answered."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(0)
        settings.EMAIL_BACKEND = "core.gateways.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = silent.getsockname()
        assert caller.post("invitations/", {"emails": [ADDRESS]}).status_code == 201
        with pytest.raises(BlockingIOError):
            silent.accept()
    assert OutboxMessage.objects.get().kind == LETTER


# F23: a mail server that cannot take it now


@pytest.mark.parametrize("line", ["421 closing", "450 greylisted", "451 local error", "drop"])
def test_a_delayed_invitation_brings_the_same_pin_and_the_page_says_so(
    tenant, admin, mail_server, signed_in, time_machine, line
):
    time_machine.move_to(clock.now())
    if line == "drop":
        mail_server.drop_next(Drop(is_kept=True))
    else:
        mail_server.refuse_next(Reply(line, "DATA"))
    [invitation] = invite(tenant, ADDRESS)
    deliver_all()
    page = text(signed_in(admin).get(path("invitations:invitation-detail", invitation.pk)))
    assert "The mail is delayed" in page
    assert ("SMTPServerDisconnected" if line == "drop" else line) in page
    later(time_machine)
    letters = [mail.part() for mail in mail_server.mails_to(ADDRESS)]
    assert len(letters) == (2 if line == "drop" else 1)
    assert len(set(letters)) == 1, "one PIN, one link, whichever copy is read"
    invitation.refresh_from_db()
    assert (invitation.status, invitation.sent_count) == (InvitationStatus.PENDING, 1)
    page = text(signed_in(admin).get(path("invitations:invitation-detail", invitation.pk)))
    assert "The mail is delayed" not in page


# F24: one address of many that will never take a mail


def test_one_bad_address_of_many_bounces_with_its_reason_and_the_others_get_theirs(
    tenant, admin, mail_server, signed_in
):
    mail_server.refuse_always(Reply("550 5.1.1 no such user", "RCPT", "gone@"))
    good = [f"person{number}@acme.test" for number in range(99)]
    invite(tenant, *good[:50], "gone@acme.test", *good[50:])
    deliver_all()
    deliver_all()
    assert {mail.recipients[0] for mail in mail_server.mails} == set(good)
    assert len(mail_server.mails) == len(good)
    bounced = Invitation.objects.get(status=InvitationStatus.BOUNCED)
    assert bounced.user.email == "gone@acme.test"
    page = text(signed_in(admin).get(path("invitations:invitation-detail", bounced.pk)))
    assert "550 5.1.1 no such user" in page
    attempts, _again = mail_server.attempts, deliver_all()
    assert mail_server.attempts == attempts, "no storm of tries"


@pytest.mark.parametrize("line", ["550 no", "552 full", "554 refused"])
def test_what_is_refused_for_good_is_tried_once(tenant, mail_server, time_machine, line):
    time_machine.move_to(clock.now())
    mail_server.refuse_always(Reply(line, "RCPT"))
    [invitation] = invite(tenant, ADDRESS)
    deliver_all()
    later(time_machine, 600)
    assert mail_server.attempts == 1
    invitation.refresh_from_db()
    assert (invitation.status, invitation.bounce_reason) == (InvitationStatus.BOUNCED, line)


# F26: see tests/trust/test_uniform.py; here what becomes of the mails


def test_mails_asked_for_while_the_server_is_down_come_when_it_is_back(
    tenant, client, settings, smtp, time_machine
):
    time_machine.move_to(clock.now())
    settings.EMAIL_BACKEND = "core.gateways.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", 9, 1
    person = factories.user(tenant)
    for email in (person.email, "nobody@acme.test"):
        client.post("/me/password/reset/", {"email": email})
    deliver_all()
    assert OutboxMessage.objects.get(kind="mail").status == OutboxStatus.PENDING
    settings.EMAIL_PORT = smtp.port
    later(time_machine)
    assert [mail.recipients for mail in smtp.mails] == [(person.email,)]

"""Inviting: who can be invited, what a second invitation does, how one ends."""

from __future__ import annotations

import datetime as dt
import threading

import pytest
import time_machine
from django.db import connections

from accounts.models import User, UserSettings
from accounts.services import users
from core import clock, outbox
from core.models import HistoryEntry, OneTimeSecret, OutboxMessage, OutboxStatus
from enrollment.errors import (
    AddressesRefused,
    NobodyToInvite,
    PersonDisabled,
    TooManyAddresses,
    WrongInvitationState,
)
from enrollment.models import EnrollmentSession, Invitation, InvitationStatus, SessionOutcome
from enrollment.services import invitations, links, pins
from tests import factories
from tests.enrollment.conftest import ADMIN, deliver_all

pytestmark = pytest.mark.django_db


def invite(tenant, *emails, **options):
    return invitations.invite(tenant=tenant, emails=emails, actor=ADMIN, **options)


def actions(**fields):
    return list(
        HistoryEntry.objects.filter(**fields).order_by("id").values_list("action", flat=True)
    )


def test_invites_several_people_and_creates_those_who_are_missing(tenant, admin, person):
    found = invite(tenant, person.email, "New@Example.org", sender=admin, language="fr")
    assert [one.user.email for one in found] == [person.email, "new@example.org"]
    new = User.objects.get(email="new@example.org")
    assert (new.tenant, new.language, new.has_usable_password()) == (tenant, "fr", False)
    assert not new.roles.exists()
    one = Invitation.objects.get(user=new)
    assert (one.status, one.sent_by, one.sent_count) == (InvitationStatus.PENDING, admin, 1)
    assert one.expires_at - clock.now() > dt.timedelta(days=6, hours=23)
    assert actions(object_id=str(one.pk)) == ["enrollment.invitation.sent"]


def test_an_address_that_is_named_twice_is_invited_once(tenant, person):
    assert len(invite(tenant, person.email, person.email.upper())) == 1
    assert Invitation.objects.count() == 1


def test_a_second_invitation_is_the_same_one_with_a_new_mail(invited, mails):
    first, letter = invited()
    with time_machine.travel(clock.now() + dt.timedelta(days=3)):
        second, newer = invited()
        assert second.pk == first.pk
        assert second.sent_count == 2
        assert links.look_up(letter.link.split("/go/")[1]).state == "live"
    assert newer.link != letter.link
    assert newer.pin != letter.pin
    assert second.expires_at > first.expires_at
    # The link of the first mail lives as long as the invitation now does.
    with time_machine.travel(clock.now() + dt.timedelta(days=9)):
        assert links.look_up(letter.link.split("/go/")[1]).state == "live"


def test_nobody_is_invited_when_one_address_cannot_be(tenant, stranger):
    with pytest.raises(AddressesRefused) as caught:
        invite(tenant, "fine@example.org", "broken", stranger.email, "a@b.org\r\nBcc: c@d.org")
    problems = {one.address: one.message for one in caught.value.problems}
    assert set(problems) == {"broken", stranger.email, "a@b.org\r\nBcc: c@d.org"}
    assert problems[stranger.email] == "This e-mail address cannot be used here."
    assert not User.objects.filter(email="fine@example.org").exists()
    assert not Invitation.objects.exists()
    assert not OutboxMessage.objects.exists()


def test_the_number_at_once_is_limited(tenant):
    with pytest.raises(TooManyAddresses):
        invite(tenant, *(f"p{number}@example.org" for number in range(201)))
    with pytest.raises(NobodyToInvite):
        invite(tenant)


def test_disabled_people_are_not_invited(tenant, person):
    users.set_enabled(user=person, enabled=False, actor=ADMIN)
    with pytest.raises(AddressesRefused):
        invite(tenant, person.email)
    with pytest.raises(PersonDisabled):
        invitations.invite_user(user=person, actor=ADMIN)


def test_names_are_no_templates(tenant, mails):
    users.create(
        tenant=tenant, email="x@example.org", actor=ADMIN, first_name="{{7|add:7}} ${7*7} {0.a}"
    )
    invite(tenant, "x@example.org")
    [letter] = mails()
    assert "{{7|add:7}} ${7*7} {0.a}" in letter.text


@pytest.mark.parametrize(
    ("password", "policy", "asked", "has_pin"),
    [
        (None, False, None, True),
        (None, False, False, True),
        ("a long password", False, None, False),
        ("a long password", True, None, True),
        ("a long password", False, True, True),
    ],
)
def test_the_mail_holds_a_pin_when_the_person_needs_one(
    tenant, invited, password, policy, asked, has_pin
):
    UserSettings.objects.update(require_pin=policy)
    user = factories.user(tenant, password=password, email="pin@acme.test")
    _invitation, letter = invited(user.email, with_pin=asked)
    assert bool(letter.pin) == has_pin
    assert ("password of your account" in letter.text) == (not has_pin)


def test_a_letter_that_is_written_twice_is_sent_once_with_one_pin(tenant, person):
    invite(tenant, person.email)
    letter = OutboxMessage.objects.get(kind="enrollment.letter")
    body = outbox.open_body(letter)
    outbox.handler_of(letter.kind)(letter, body)
    outbox.handler_of(letter.kind)(letter, body)
    assert OutboxMessage.objects.filter(kind="mail").count() == 1
    assert OneTimeSecret.objects.filter(purpose="pin").count() == 1


def test_revoking_ends_links_pins_attempts_and_unsent_mails(invited, pages, mails):
    invitation, letter = invited()
    page = pages().open(letter.link).send("start")
    invitations.resend(invitation=invitation, actor=ADMIN)
    invitations.revoke(invitation=invitation, actor=ADMIN, reason="left the company")
    assert not OutboxMessage.objects.filter(status=OutboxStatus.PENDING).exists()
    assert "no longer valid" in page.open(letter.link).html
    assert page.response.status_code == 410
    assert not pins.has_live(invitation.user)
    session = EnrollmentSession.objects.get()
    assert (session.outcome, session.stopped_reason) == (SessionOutcome.CANCELLED, "revoked")
    with pytest.raises(WrongInvitationState):
        invitations.revoke(invitation=invitation, actor=ADMIN)
    assert "enrollment.invitation.revoked" in actions(object_id=str(invitation.pk))


def test_after_revoking_a_new_invitation_is_a_new_one(invited):
    first, _letter = invited()
    invitations.revoke(invitation=first, actor=ADMIN)
    second, letter = invited()
    assert second.pk != first.pk
    assert links.look_up(letter.link.split("/go/")[1]).state == "live"


def test_a_letter_of_a_revoked_invitation_is_not_written(tenant, person, mails):
    invite(tenant, person.email)
    Invitation.objects.update(status=InvitationStatus.REVOKED)
    assert mails() == []


def test_a_refused_mail_makes_the_invitation_bounce(tenant, person, monkeypatch):
    [invitation] = invite(tenant, person.email)

    def refuse(message, body):
        raise outbox.Undeliverable("550 no such mailbox")

    monkeypatch.setitem(outbox._handlers, "mail", refuse)
    deliver_all()
    invitation.refresh_from_db()
    assert invitation.status == InvitationStatus.BOUNCED
    assert invitation.bounce_reason == "550 no such mailbox"
    assert invitation.remind_at is None
    invitations.resend(invitation=invitation, actor=ADMIN)
    invitation.refresh_from_db()
    assert (invitation.status, invitation.bounce_reason) == (InvitationStatus.PENDING, "")


def test_a_late_bounce_does_not_undo_what_the_person_did(tenant, invited, pages):
    invitation, letter = invited()
    pages().open(letter.link).send("start")
    message = OutboxMessage.objects.filter(kind="mail").get()
    message.status, message.last_error = OutboxStatus.UNDELIVERABLE, "550 full"
    invitations.note_failed_mail(message)
    invitation.refresh_from_db()
    assert invitation.status == InvitationStatus.OPENED


def test_a_link_to_share_opens_the_same_invitation(invited):
    invitation, _letter = invited()
    url = invitations.share_link(invitation=invitation, actor=ADMIN)
    assert links.look_up(url.split("/go/")[1]).invitation == invitation
    invitations.revoke(invitation=invitation, actor=ADMIN)
    with pytest.raises(WrongInvitationState):
        invitations.share_link(invitation=invitation, actor=ADMIN)


@pytest.mark.django_db(transaction=True)
def test_two_administrators_at_once_make_one_invitation(tenant, person):
    start, found = threading.Barrier(6), []

    def submit() -> None:
        start.wait()
        try:
            found.extend(invite(tenant, person.email, "new@example.org"))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=submit) for _number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 12
    assert Invitation.objects.count() == 2
    assert User.objects.filter(email="new@example.org").count() == 1


def test_inviting_costs_a_fixed_number_of_queries_each(tenant, django_assert_max_num_queries):
    with django_assert_max_num_queries(20 * 22):
        invite(tenant, *(f"p{number}@example.org" for number in range(20)))


def test_other_tenants_do_not_see_it(invited, stranger, admin, auditor):
    invitation, _letter = invited()
    assert list(Invitation.objects.visible_to(admin)) == [invitation]
    assert list(Invitation.objects.visible_to(auditor)) == [invitation]
    assert list(Invitation.objects.visible_to(stranger)) == []

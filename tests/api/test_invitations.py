from __future__ import annotations

import datetime as dt
import threading

import pytest
from django.db import connection

from accounts.models import User
from core import clock
from core.models import HistoryEntry, OutboxMessage
from enrollment.models import EnrollmentSession, Invitation
from tests.api.conftest import code_of, fields_of

pytestmark = pytest.mark.django_db


def invite(api, *emails, **fields):
    return api.post("invitations/", {"emails": list(emails), **fields})


@pytest.fixture
def invitation(api, person):
    return Invitation.objects.get(pk=invite(api, person.email).json()[0]["id"])


def test_one_and_several_people_are_invited(api, person, owner, tenant):
    answer = invite(api, person.email, "new@acme.test", "new@acme.test", language="fr")
    assert answer.status_code == 201
    rows = answer.json()
    assert sorted(row["user"]["email"] for row in rows) == sorted([person.email, "new@acme.test"])
    assert {row["status"] for row in rows} == {"pending"}
    assert {row["sent_by"] for row in rows} == {owner.name}
    assert User.objects.get(email="new@acme.test").tenant == tenant
    entry = HistoryEntry.objects.filter(action="enrollment.invitation.sent").first()
    assert entry.actor_kind == "token"


def test_one_bad_address_and_nobody_is_invited(api, person):
    answer = invite(api, person.email, "nonsense", "a@b.test\r\nBcc: c@d.test")
    assert (answer.status_code, code_of(answer)) == (400, "addresses_refused")
    assert "nonsense" in fields_of(answer)["emails"][0]
    assert not Invitation.objects.exists()
    assert not OutboxMessage.objects.exists()


def test_a_foreign_address_does_not_tell_whose_it_is(api, stranger):
    answer = invite(api, stranger.email)
    assert answer.status_code == 400
    assert "globex" not in answer.content.decode().lower().replace(stranger.email, "")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "emails"),
        ({"emails": []}, "emails"),
        ({"emails": "a@acme.test"}, "emails"),
        ({"emails": [None]}, "emails"),
        ({"emails": ["x" * 255]}, "emails"),
        ({"emails": [f"a{n}@acme.test" for n in range(201)]}, "emails"),
        ({"emails": ["a@acme.test"], "language": "tlh"}, "language"),
        ({"emails": ["a@acme.test"], "with_pin": "perhaps"}, "with_pin"),
        ({"emails": ["a@acme.test"], "expires_at": "2099-01-01"}, "expires_at"),
        ({"emails": ["a@acme.test"], "role": "owner"}, "role"),
        ({"emails": ["a@acme.test"], "tenant": "globex"}, "tenant"),
    ],
)
def test_an_impossible_invitation_is_refused(api, body, field):
    answer = api.post("invitations/", body)
    assert answer.status_code == 400
    assert list(fields_of(answer)) == [field]
    assert not Invitation.objects.exists()


def test_inviting_is_safe_to_repeat(api, person):
    body, key = {"emails": [person.email, "new@acme.test"]}, {"Idempotency-Key": "invite-42"}
    first = api.post("invitations/", body, **key)
    again = api.post("invitations/", body, **key)
    assert first.json() == again.json()
    assert Invitation.objects.count() == 2
    assert set(Invitation.objects.values_list("sent_count", flat=True)) == {1}


@pytest.mark.django_db(transaction=True)
def test_repetitions_at_the_same_moment_invite_once(api, person):
    """I1: the second call waits for the first one's transaction and gets its answer."""
    body, key = {"emails": [person.email]}, {"Idempotency-Key": "same"}
    start, answers = threading.Barrier(4), []

    def ask():
        try:
            start.wait(10)
            answers.append(api.post("invitations/", body, **key))
        finally:
            connection.close()

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert Invitation.objects.get().sent_count == 1
    assert OutboxMessage.objects.count() == 1


def test_an_invitation_is_sent_again_and_revoked(api, invitation):
    again = api.post(f"invitations/{invitation.pk}/resend/")
    assert (again.status_code, again.json()["sent_count"]) == (200, 2)
    revoked = api.post(f"invitations/{invitation.pk}/revoke/", {"reason": "left"})
    assert revoked.json()["status"] == "revoked"
    twice = api.post(f"invitations/{invitation.pk}/revoke/")
    assert (twice.status_code, code_of(twice)) == (409, "wrong_invitation_state")


def test_a_link_is_made_to_hand_over(api, invitation):
    link = api.post(f"invitations/{invitation.pk}/link/").json()["link"]
    assert "/go/" in link
    assert link not in api.get("invitations/").content.decode()


def test_a_disabled_person_is_not_invited(api, person, invitation):
    api.post(f"users/{person.pk}/disable/")
    answer = api.post(f"invitations/{invitation.pk}/resend/")
    assert (answer.status_code, code_of(answer)) == (409, "person_disabled")


@pytest.mark.parametrize("order", ["resend", "revoke", "link"])
def test_another_organisations_invitation_does_not_exist(foreign_api, invitation, order):
    answer = foreign_api.post(f"invitations/{invitation.pk}/{order}/")
    assert (answer.status_code, code_of(answer)) == (404, "not_found")


def test_each_right_is_its_own(caller, owner, invitation):
    looks = caller(owner, "invitations.view")
    assert looks.get("invitations/").status_code == 200
    assert invite(looks, "a@acme.test").status_code == 403
    assert looks.post(f"invitations/{invitation.pk}/resend/").status_code == 403
    sends = caller(owner, "invitations.send")
    assert sends.post(f"invitations/{invitation.pk}/revoke/").status_code == 403


def test_the_funnel_counts_what_the_filters_leave(api, tenant, person, invitation):
    now = clock.now()
    EnrollmentSession.objects.create(
        tenant=tenant,
        user=person,
        invitation=invitation,
        authenticated_at=now,
        expires_at=now + dt.timedelta(days=1),
    )
    Invitation.objects.update(opened_at=now)
    counts = api.get("invitations/funnel/").json()
    assert (counts["sent"], counts["opened"], counts["authenticated"]) == (1, 1, 1)
    assert counts["active"] == 0
    assert api.get("invitations/funnel/?status=revoked").json()["sent"] == 0
    assert api.get("invitations/funnel/?sort=created_at").status_code == 400


def test_an_enrollment_tells_its_steps(api, tenant, person, invitation):
    now = clock.now()
    session = EnrollmentSession.objects.create(
        tenant=tenant,
        user=person,
        invitation=invitation,
        authenticated_at=now,
        browser_hash="b" * 64,
        expires_at=now + dt.timedelta(days=1),
    )
    answer = api.get(f"enrollments/{session.pk}/")
    steps = {step["stage"]: step["state"] for step in answer.json()["steps"]}
    assert steps["authenticated"] == "done"
    assert steps["active"] == "open"
    assert "b" * 64 not in answer.content.decode()
    assert answer.json()["invitation"] == str(invitation.pk)


def test_mails_are_told_without_their_text(api, invitation):
    [row] = api.all("messages/")
    assert row["status"] == "pending"
    assert "body" not in row
    answer = api.post(f"messages/{row['id']}/retry/")
    assert (answer.status_code, code_of(answer)) == (409, "not_quarantined")
    OutboxMessage.objects.update(status="quarantined", attempts=5)
    assert api.post(f"messages/{row['id']}/retry/").json()["attempts"] == 0

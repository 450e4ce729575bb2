from __future__ import annotations

import re

import pytest

from accounts.models import User
from core.models import OutboxMessage
from devices.models import Ownership
from devices.services import entries
from enrollment.models import Invitation
from enrollment.services import invitations
from tests import factories
from tests.portal import confirm, path, text

pytestmark = pytest.mark.django_db
NEW = "/invitations/new/"


def test_the_list_of_people_offers_to_invite_those_who_are_ticked(signed_in, helpdesk, person):
    page = text(signed_in(helpdesk).get("/users/"))
    assert f'action="{NEW}"' in page
    assert f'name="person" value="{person.pk}"' in page
    assert "data-bulk-bar" in page


def test_those_who_may_not_invite_see_no_boxes(signed_in, auditor, person):
    page = text(signed_in(auditor).get("/users/"))
    assert "data-row" not in page
    assert "data-bulk-bar" not in page


def test_disabled_people_cannot_be_ticked(signed_in, helpdesk, tenant):
    gone = factories.user(tenant, is_active=False)
    assert f'value="{gone.pk}"' not in text(signed_in(helpdesk).get("/users/"))


def test_the_form_begins_with_the_people_who_were_selected(signed_in, helpdesk, person, tenant):
    other = factories.user(tenant, email="zoe@acme.test")
    gone = factories.user(tenant, is_active=False)
    client = signed_in(helpdesk)
    response = client.get(NEW, {"person": [str(person.pk), str(other.pk), str(gone.pk), "x"]})
    assert response.context["form"]["emails"].value() == f"{person.email}\nzoe@acme.test"
    assert "1 selected person is disabled and was left out." in text(response)


def test_people_of_others_are_not_selected(signed_in, helpdesk, stranger):
    response = signed_in(helpdesk).get(NEW, {"person": [str(stranger.pk)]})
    assert stranger.email not in text(response)


def test_somebody_new_is_invited_right_away(signed_in, admin, mails):
    client = signed_in(admin)
    page = text(client.get(path("invitations:person-new")))
    assert re.search(r'name="is_invited"[^>]* checked', page)
    data = {"email": "nora@acme.test", "is_invited": "on", "ownership": "personal"}
    answer = client.post(path("invitations:person-new"), data, follow=True)
    assert "the invitation is on its way" in text(answer)
    invitation = Invitation.objects.get(user__email="nora@acme.test")
    assert (invitation.ownership, invitation.sent_by) == (Ownership.PERSONAL, admin)
    assert mails()[-1].to == "nora@acme.test"


def test_somebody_new_can_be_added_without_an_invitation(signed_in, admin):
    client = signed_in(admin)
    answer = client.post(path("invitations:person-new"), {"email": "n@acme.test"}, follow=True)
    assert "An invitation has not been sent." in text(answer)
    assert not Invitation.objects.exists()
    assert not OutboxMessage.objects.exists()


def test_a_taken_address_adds_and_invites_nobody(signed_in, admin, stranger):
    data = {"email": stranger.email, "is_invited": "on"}
    assert signed_in(admin).post(path("invitations:person-new"), data).status_code == 422
    assert not Invitation.objects.exists()
    assert User.objects.filter(email=stranger.email).count() == 1


def test_who_may_only_add_people_cannot_invite_with_it(signed_in, admin, tenant):
    role = admin.roles.get()
    role.permissions = ["users.view", "users.manage"]
    role.save()
    client = signed_in(admin)
    data = {"email": "n@acme.test", "is_invited": "on", "ownership": "company"}
    client.post(path("invitations:person-new"), data)
    assert User.objects.filter(email="n@acme.test").exists()
    assert not Invitation.objects.exists()


def test_ownership_is_chosen_with_the_invitation_and_kept_by_a_resend(signed_in, admin, tenant):
    client = signed_in(admin)
    client.post(NEW, {"emails": "n@acme.test", "ownership": "company"})
    invitation = Invitation.objects.get()
    assert invitation.ownership == Ownership.COMPANY
    invitations.resend(invitation=invitation, actor=admin.actor)
    invitation.refresh_from_db()
    assert invitation.ownership == Ownership.COMPANY
    client.post(NEW, {"emails": "n@acme.test", "ownership": "lent"})
    invitation.refresh_from_db()
    assert (invitation.ownership, invitation.sent_count) == (Ownership.COMPANY, 2)


def test_the_api_takes_the_ownership(client, admin):
    _row, token = factories.token(admin)
    answer = client.post(
        "/api/v1/invitations/",
        {"emails": ["n@acme.test"], "ownership": "personal"},
        content_type="application/json",
        headers={"Authorization": f"Bearer {token}"},
    )
    assert answer.json()[0]["ownership"] == "personal"


@pytest.mark.parametrize(
    ("ownership", "said", "not_said"),
    [
        ("company", "which lends it to you for work", "This device is your own."),
        ("personal", "This device is your own.", "lends it to you"),
        ("not_set", "erase all of it, for example when it is lost</li>", "data-ownership"),
    ],
)
def test_the_person_reads_whose_device_it_is(confirmed, ownership, said, not_said):
    page, _session = confirmed()
    Invitation.objects.update(ownership=ownership)
    html = page.open("/go").html
    assert page.step == "profile"
    assert said in html
    assert not_said not in html


def open_entry(person, ownership=Ownership.NOT_SET, **facts):
    return entries.open_entry(
        tenant=person.tenant,
        key="00008030-0011",
        platform="iphone",
        channel_kind="apple",
        user=person,
        session_id=factories.ids.uuid7(),
        facts=entries.Facts(**facts),
        device_limit=None,
        ownership=ownership,
    )


def test_the_entry_of_a_device_takes_the_ownership_over(person, tenant):
    first = open_entry(person, Ownership.PERSONAL)
    assert first.ownership == Ownership.PERSONAL
    assert open_entry(person).ownership == Ownership.PERSONAL
    assert open_entry(person, Ownership.COMPANY).ownership == Ownership.COMPANY
    # What was said of one person's device is nothing about the next person's.
    assert open_entry(factories.user(tenant)).ownership == Ownership.NOT_SET


def test_the_boxes_cost_no_query(signed_in, admin, tenant, django_assert_max_num_queries):
    for _ in range(20):
        factories.user(tenant)
    client = signed_in(admin)
    confirm(client)
    with django_assert_max_num_queries(13):
        client.get("/users/")

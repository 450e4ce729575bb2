from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client

from accounts.models import User, UserSettings
from core import clock
from core.models import OneTimeSecret, OutboxMessage
from enrollment.models import EnrollmentSession, Invitation
from enrollment.services import invitations
from enrollment.states import STAGE_ORDER
from tests.portal import history_of, path, text

pytestmark = pytest.mark.django_db
LIST, NEW = "/invitations/", "/invitations/new/"


@pytest.fixture
def invitation(tenant, admin, person):
    return invitations.invite_user(user=person, actor=admin.actor, sender=admin)


@pytest.fixture
def foreign_invitation(stranger):
    return invitations.invite_user(user=stranger, actor=stranger.actor, sender=stranger)


def attempt(invitation, *, reached: int, **fields) -> EnrollmentSession:
    stamps = {f"{stage}_at": clock.now() for stage in STAGE_ORDER[:reached]}
    return EnrollmentSession.objects.create(
        tenant=invitation.tenant,
        invitation=invitation,
        user=invitation.user,
        platform="iphone",
        stage=STAGE_ORDER[reached - 1],
        expires_at=clock.now() + dt.timedelta(hours=1),
        **stamps | fields,
    )


def emails(response) -> list[str]:
    return sorted(row.record.user.email for row in response.context["table"].page.object_list)


def test_several_people_are_invited_at_once(signed_in, helpdesk):
    typed = "Ada <ada@acme.test>, bob@acme.test;\ncleo@acme.test bob@acme.test"
    response = signed_in(helpdesk).post(NEW, {"emails": typed, "language": "fr"}, follow=True)
    assert "3 people are invited." in text(response)
    assert emails(response) == ["ada@acme.test", "bob@acme.test", "cleo@acme.test"]
    assert set(Invitation.objects.values_list("sent_by_label", flat=True)) == {helpdesk.name}
    assert OutboxMessage.objects.count() == 3


@pytest.mark.parametrize(
    ("typed", "complaint"),
    [
        ("", "Enter at least one e-mail address."),
        (" ,;\n ", "Enter at least one e-mail address."),
        ("ada", "ada: It is not an e-mail address."),
        ("good@acme.test, bad@", "bad@: It is not an e-mail address."),
        (",".join(f"p{n}@acme.test" for n in range(201)), "Invite at most 200 people at once."),
        ("x" * 20_001, "at most 20000 characters"),
    ],
)
def test_one_bad_address_stops_all_and_nothing_typed_is_lost(signed_in, admin, typed, complaint):
    response = signed_in(admin).post(NEW, {"emails": typed})
    page = text(response)
    assert response.status_code == 422
    assert complaint in page
    assert "<title>Error:" in page
    assert typed.split(",")[0].strip() in page
    assert not Invitation.objects.exists()
    assert User.objects.count() == 1


def test_an_address_of_another_organisation_cannot_be_told_from_a_disabled_one(
    signed_in, admin, stranger
):
    response = signed_in(admin).post(NEW, {"emails": stranger.email})
    assert "This e-mail address cannot be used here." in text(response)
    assert not Invitation.objects.exists()


def test_the_preview_shows_the_mail_and_sends_nothing(signed_in, admin, tenant):
    data = {"emails": "ada@acme.test", "preview": "1"}
    page = text(signed_in(admin).post(NEW, data))
    assert "Register your device with Acme Aerospace" in page
    assert "Your PIN:" in page
    assert "1234 5678" in page
    assert not Invitation.objects.exists()
    assert not OutboxMessage.objects.exists()
    assert not OneTimeSecret.objects.exists()
    assert not User.objects.filter(email="ada@acme.test").exists()


@pytest.mark.parametrize(("box", "wanted"), [({}, False), ({"with_pin": "on"}, True)])
def test_a_pin_for_everybody_is_a_choice(signed_in, admin, box, wanted):
    signed_in(admin).post(NEW, {"emails": "ada@acme.test", **box})
    assert Invitation.objects.get().with_pin is wanted


def test_where_the_policy_wants_pins_there_is_no_choice(signed_in, admin, tenant):
    UserSettings.objects.filter(tenant=tenant).update(require_pin=True)
    client = signed_in(admin)
    assert 'name="with_pin"' not in text(client.get(NEW))
    client.post(NEW, {"emails": "ada@acme.test"})
    assert Invitation.objects.get().with_pin


def test_the_list_shows_own_invitations_only(signed_in, auditor, invitation, foreign_invitation):
    response = signed_in(auditor).get(LIST)
    assert emails(response) == [invitation.user.email]


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ({"status": "open"}, 1),
        ({"status": "pending"}, 1),
        ({"status": "expired"}, 0),
        ({"q": "pia"}, 1),
        ({"q": "adam"}, 1),
        ({"q": "nobody"}, 0),
        ({"sent": "7"}, 1),
        ({"reached": "opened"}, 0),
        ({"reached": "active"}, 0),
    ],
)
def test_filters(signed_in, auditor, invitation, query, number):
    assert len(emails(signed_in(auditor).get(LIST, query))) == number


def test_the_funnel_counts_an_invitation_once_and_its_numbers_are_links(
    signed_in, auditor, invitation
):
    invitations_opened = {"opened_at": clock.now()}
    Invitation.objects.filter(pk=invitation.pk).update(**invitations_opened)
    attempt(invitation, reached=2, outcome="expired")
    attempt(invitation, reached=4)
    client = signed_in(auditor)
    rows = client.get(LIST).context["funnel"]["rows"]
    assert [row["value"] for row in rows] == [1, 1, 1, 1, 0, 0]
    for row in rows:
        assert client.get(row["url"]).context["table"].paginator.count == row["value"]


def test_an_invitation_shows_how_far_each_attempt_came(signed_in, auditor, invitation):
    attempt(invitation, reached=3, outcome="refused", stopped_reason="device_limit")
    page = text(signed_in(auditor).get(path("invitations:invitation-detail", invitation.pk)))
    assert "stopped here" in page
    assert "The person has as many devices as allowed" in page


def test_enrollments_are_a_list_of_their_own(signed_in, auditor, invitation, foreign_invitation):
    attempt(invitation, reached=3)
    attempt(foreign_invitation, reached=3)
    client = signed_in(auditor)
    assert emails(client.get("/invitations/enrollments/")) == [invitation.user.email]
    assert emails(client.get("/invitations/enrollments/", {"outcome": "refused"})) == []


def test_send_again_is_the_same_invitation(signed_in, helpdesk, invitation):
    client = signed_in(helpdesk)
    response = client.post(path("invitations:invitation-resend", invitation.pk), follow=True)
    assert "The mail is on its way again" in text(response)
    invitation.refresh_from_db()
    assert invitation.sent_count == 2
    assert Invitation.objects.count() == 1


def test_a_shared_link_is_shown_once(signed_in, helpdesk, invitation):
    client = signed_in(helpdesk)
    response = client.post(path("invitations:invitation-link", invitation.pk))
    link = response.context["link"]
    assert "/go/" in link
    assert link in text(response)
    assert "no-store" in response.headers["Cache-Control"]
    page = text(client.get(path("invitations:invitation-detail", invitation.pk)))
    assert link not in page
    assert "enrollment.link.created" in history_of(invitation)


def test_revoking_asks_first_and_ends_it(signed_in, admin, invitation):
    client, where = signed_in(admin), path("invitations:invitation-revoke", invitation.pk)
    assert "stops working at once" in text(client.get(where))
    client.post(where, {"reason": "Wrong person"})
    invitation.refresh_from_db()
    assert invitation.status == "revoked"
    again = client.post(where, {})
    assert again.status_code == 422
    assert "This invitation has ended." in text(again)


@pytest.mark.parametrize("action", ["resend", "link", "revoke"])
def test_invitations_of_others_do_not_exist(signed_in, owner, foreign_invitation, action):
    client = signed_in(owner)
    where = path(f"invitations:invitation-{action}", foreign_invitation.pk)
    assert client.post(where, {}).status_code == 404
    assert (
        client.get(path("invitations:invitation-detail", foreign_invitation.pk)).status_code == 404
    )
    foreign_invitation.refresh_from_db()
    assert (foreign_invitation.status, foreign_invitation.sent_count) == ("pending", 1)


@pytest.mark.parametrize(
    ("who", "action", "status"),
    [
        ("auditor", "resend", 403),
        ("auditor", "link", 403),
        ("auditor", "revoke", 403),
        ("helpdesk", "revoke", 403),
    ],
)
def test_each_role_may_do_what_it_is_for(request, signed_in, invitation, who, action, status):
    client = signed_in(request.getfixturevalue(who))
    where = path(f"invitations:invitation-{action}", invitation.pk)
    assert client.post(where, {}).status_code == status
    page = text(client.get(path("invitations:invitation-detail", invitation.pk)))
    assert where not in page


def test_an_auditor_cannot_invite(signed_in, auditor):
    client = signed_in(auditor)
    assert client.get(NEW).status_code == 403
    assert NEW not in text(client.get(LIST))


def test_a_foreign_site_cannot_invite(admin, settings):
    settings.MUSTER_REQUIRE_ADMIN_MFA = False
    client = Client(enforce_csrf_checks=True)
    client.force_login(admin, backend="accounts.backends.PortalBackend")
    assert client.post(NEW, {"emails": "ada@acme.test"}).status_code == 403
    assert not Invitation.objects.exists()


def test_the_number_of_queries_does_not_grow(
    signed_in, admin, tenant, django_assert_max_num_queries
):
    people = [f"p{number}@acme.test" for number in range(20)]
    invitations.invite(tenant=tenant, emails=people, actor=admin.actor, sender=admin)
    client = signed_in(admin)
    with django_assert_max_num_queries(12):
        client.get(LIST)

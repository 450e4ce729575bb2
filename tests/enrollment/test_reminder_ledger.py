from __future__ import annotations

import pytest

from enrollment.models import EnrollmentSession, Notice, NoticeChannel, NoticeStatus
from tests import factories
from tests.enrollment.push_world import KEY_ID, TEAM_ID, TOPIC, install_apns, p256, pem
from tests.portal import path, text

pytestmark = pytest.mark.django_db


@pytest.fixture
def invitation(invited):
    return invited()[0]


def notice(invitation, channel=NoticeChannel.APP_APNS, **fields) -> Notice:
    facts = {
        "status": NoticeStatus.FAILED,
        "result": "410 Unregistered",
        "recipient": "Pia's phone",
    }
    return Notice.objects.create(
        tenant=invitation.tenant,
        user=invitation.user,
        invitation=invitation,
        channel=channel,
        **facts | fields,
    )


def test_the_page_of_an_invitation_tells_what_was_sent_and_what_came_back(
    signed_in, admin, invitation
):
    notice(invitation)
    page = text(signed_in(admin).get(path("invitations:invitation-detail", invitation.pk)))
    for words in ("App push (Apple)", "Pia&#x27;s phone", "410 Unregistered", "8 a.m.", "8 p.m."):
        assert words in page


def test_the_page_of_a_device_tells_of_the_reminders_before_it(signed_in, admin, tenant, person):
    device = factories.device(tenant, person)
    session = EnrollmentSession.objects.create(
        pk=device.session_id, tenant=tenant, user=person, expires_at=device.enrolled_at
    )
    Notice.objects.create(
        tenant=tenant, user=person, session=session, channel=NoticeChannel.WEB_PUSH, result="201"
    )
    assert "Browser push" in text(signed_in(admin).get(path("device-detail", device.pk)))


def api(client, token, method, where, **body):
    headers = {"Authorization": f"Bearer {token}"}
    options = {"data": body, "content_type": "application/json"} if body else {}
    return getattr(client, method)(f"/api/v1/{where}", headers=headers, **options)


def test_the_ledger_is_in_the_api_and_can_be_filtered(client, admin, invitation):
    notice(invitation)
    notice(invitation, NoticeChannel.MAIL, status=NoticeStatus.SENT, result="")
    _, token = factories.token(admin, "invitations.view")
    answer = api(client, token, "get", f"reminders/?invitation={invitation.pk}&status=failed")
    [row] = answer.json()["results"]
    assert (row["channel"], row["result"]) == ("app_apns", "410 Unregistered")


def test_reminders_of_another_organisation_do_not_exist(client, stranger, invitation):
    mine = notice(invitation)
    _, token = factories.token(stranger)
    assert api(client, token, "get", "reminders/").json()["results"] == []
    assert api(client, token, "get", f"reminders/{mine.pk}/").status_code == 404


def test_channels_are_set_up_over_the_api_and_never_tell_their_key(client, owner, tenant):
    _, token = factories.token(owner)
    answer = api(
        client,
        token,
        "put",
        "reminder-channels/app_apns/",
        key=pem(p256()).decode(),
        key_id=KEY_ID,
        team_id=TEAM_ID,
        topic=TOPIC,
    )
    assert answer.status_code == 200, answer.content
    first = answer.json()[0]
    assert (first["state"], first["facts"]["topic"]) == ("ready", TOPIC)
    assert "PRIVATE" not in answer.content.decode()


def test_a_damaged_file_is_refused_over_the_api(client, owner):
    _, token = factories.token(owner)
    answer = api(
        client, token, "put", "reminder-channels/app_fcm/", service_account={"type": "other"}
    )
    assert answer.status_code == 400
    assert "push_key_refused" in answer.content.decode()


def test_a_channel_is_removed_over_the_api(client, owner, tenant):
    install_apns(tenant)
    _, token = factories.token(owner)
    assert api(client, token, "delete", "reminder-channels/app_apns/").status_code == 204
    assert api(client, token, "delete", "reminder-channels/app_apns/").status_code == 404


def test_a_channel_is_tested_over_the_api(client, owner, tenant):
    _, token = factories.token(owner)
    answer = api(client, token, "post", "reminder-channels/app_apns/test/")
    assert answer.status_code == 409
    api(
        client,
        token,
        "put",
        "reminder-channels/web_push/",
    )
    assert api(client, token, "post", "reminder-channels/web_push/test/").json()["is_good"]


def test_channels_need_their_permissions(client, helpdesk):
    _, token = factories.token(helpdesk, "invitations.view")
    assert api(client, token, "get", "reminder-channels/").status_code == 403
    assert api(client, token, "put", "reminder-channels/web_push/").status_code == 403

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command

from core.models import Tenant
from enrollment.models import Invitation, IssuedProfile
from enrollment.services import challenges, invitations, links, qr
from tests import factories
from tests.enrollment.conftest import ADMIN, MAC
from tests.portal import confirm, history_of, path, text

pytestmark = pytest.mark.django_db


def void(tenant):
    return links.void_all(tenant=tenant, actor=ADMIN, reason="laptop stolen")


def test_old_links_lead_to_a_page_that_says_what_helps(tenant, invited, pages):
    invitation, letter = invited()
    void(tenant)
    page = pages().open(letter.link)
    assert page.response.status_code == 410
    assert "has renewed its registration links" in page.html
    assert "ask Adam for a new invitation" in page.html
    assert 'href="/go"' in page.html
    assert page.send("start").response.status_code == 410
    invitation.refresh_from_db()
    assert invitation.is_open
    assert not invitation.sessions.exists()


def test_a_link_made_afterwards_works_and_the_old_one_stays_dead(tenant, admin, invited, mails):
    invitation, letter = invited()
    tenant = void(tenant)
    assert list(invitations.outdated(tenant)) == [invitation]
    assert invitations.resend_outdated(tenant=tenant, actor=ADMIN, sender=admin) == 1
    newer = mails()[-1]
    assert links.look_up(newer.link.rpartition("/")[2]).state == "live"
    assert links.look_up(letter.link.rpartition("/")[2]).state == "renewed"
    assert invitations.resend_outdated(tenant=tenant, actor=ADMIN, sender=admin) == 0


def test_a_pin_that_was_mailed_before_still_works_with_the_new_link(tenant, invited, mails, pages):
    invitation, letter = invited()
    void(tenant)
    url = invitations.share_link(invitation=invitation, actor=ADMIN)
    page = pages().open(url.partition("/go")[1] + url.partition("/go")[2]).send("start")
    assert page.send("pin", pin=letter.pin).step == "password"


def test_profiles_and_codes_made_before_are_dead(tenant, confirmed):
    page, session = confirmed()
    page.send("profile")
    download = page.download
    code = qr.issue(user=session.user, actor=ADMIN)
    void(tenant)
    assert page.client.get(download).status_code == 410
    assert qr.look_up(qr.token_in(code.url)).state == "ended"
    profile = IssuedProfile.objects.get()
    assert profile.sealed_content == b""
    assert page.state()["state"] == "expired"
    # Who was confirmed goes on with a new profile.
    assert page.open("/go").step == "profile"
    assert page.send("profile").download


def test_a_device_in_the_middle_of_it_may_finish(tenant, confirmed, platform):
    page, _session = confirmed(MAC)
    page.send("profile")
    page.client.get(page.download)
    challenge = challenges.look_up(tenant=tenant, token=platform.challenges[-1])
    challenges.redeem(challenge, actor=ADMIN)
    void(tenant)
    assert page.state()["state"] == "identity_issued"


def test_another_organisation_keeps_its_links(tenant, other_tenant, invited):
    _invitation, letter = invited()
    void(other_tenant)
    assert links.look_up(letter.link.rpartition("/")[2]).state == "live"


def test_the_page_asks_for_a_recent_sign_in_and_writes_history(signed_in, admin, invited, tenant):
    invited()
    client, where = signed_in(admin), path("invitations:links-renew")
    assert client.post(where).url.startswith(path("account_reauthenticate"))
    assert Tenant.objects.get(pk=tenant.pk).links_voided_at is None
    confirm(client)
    assert "PINs stay valid" in text(client.get(where))
    answer = client.post(where, {"reason": "laptop stolen"}, follow=True)
    assert "1 open invitation holds a dead link" in text(answer)
    assert history_of(tenant)[-1] == "enrollment.links.voided"
    answer = client.post(path("invitations:links-resend"), follow=True)
    assert "1 invitation is on its way again." in text(answer)
    assert Invitation.objects.get().sent_count == 2


@pytest.mark.parametrize("who", ["helpdesk", "auditor"])
def test_only_those_who_change_settings_end_links(request, signed_in, tenant, who):
    client = signed_in(request.getfixturevalue(who))
    confirm(client)
    assert client.post(path("invitations:links-renew")).status_code == 403
    assert Tenant.objects.get(pk=tenant.pk).links_voided_at is None


def test_the_api_ends_links_and_sends_again(client, admin, invited, tenant):
    invited()
    _row, token = factories.token(admin)
    headers = {"Authorization": f"Bearer {token}"}
    post = {"content_type": "application/json", "headers": headers}
    answer = client.post("/api/v1/invitations/end-links/", {"reason": "x"}, **post)
    assert (answer.status_code, answer.json()["to_resend"]) == (200, 1)
    answer = client.post("/api/v1/invitations/resend-outdated/", {}, **post)
    assert answer.json()["to_resend"] == 0
    _row, token = factories.token(admin, "invitations.view", "invitations.send")
    post["headers"] = {"Authorization": f"Bearer {token}"}
    assert client.post("/api/v1/invitations/end-links/", {}, **post).status_code == 403


def test_an_upgrade_ends_links_from_the_console(tenant, other_tenant, capsys):
    call_command("void_links", tenant="acme", reason="upgrade")
    assert "all links ended" in capsys.readouterr().out
    assert Tenant.objects.get(pk=other_tenant.pk).links_voided_at is None
    call_command("void_links")
    assert Tenant.objects.get(pk=other_tenant.pk).links_voided_at is not None
    with pytest.raises(CommandError):
        call_command("void_links", tenant="nobody")

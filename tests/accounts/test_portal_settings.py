from __future__ import annotations

import pytest

from accounts.models import ApiToken, UserSettings
from core.models import HistoryEntry
from tests import factories
from tests.portal import confirm, history_of, path, text

pytestmark = pytest.mark.django_db
PAGES = ["settings-organisation", "settings-policy", "settings-mail", "settings-tokens"]
POLICY = {
    "pin_length": 6,
    "pin_days": 2,
    "invitation_days": 14,
    "network_accounts": "never",
    "profile_minutes": 20,
    "device_limit": 5,
    "max_reminders": 3,
}
ORGANISATION = {
    "name": "Acme Space",
    "language": "fr",
    "time_zone": "Europe/Paris",
    "help_contact": "help@acme.test",
}


@pytest.mark.parametrize("page", PAGES)
def test_an_auditor_reads_every_page(signed_in, auditor, page):
    assert signed_in(auditor).get(path(page)).status_code == 200


@pytest.mark.parametrize("page", PAGES)
def test_the_help_desk_reads_none(signed_in, helpdesk, page):
    assert signed_in(helpdesk).get(path(page)).status_code == 403


def test_the_organisation_is_changed_with_its_history(signed_in, admin, tenant):
    client = signed_in(admin)
    response = client.post(path("settings-organisation"), ORGANISATION, follow=True)
    assert "Saved." in text(response)
    assert "Acme Space" in text(response)
    tenant.refresh_from_db()
    assert tenant.time_zone == "Europe/Paris"
    entry = HistoryEntry.objects.get(action="core.tenant.changed")
    assert entry.data["name"] == ["Acme Aerospace", "Acme Space"]


def test_an_empty_name_is_refused_and_nothing_lost(signed_in, admin, tenant):
    response = signed_in(admin).post(path("settings-organisation"), ORGANISATION | {"name": ""})
    page = text(response)
    assert response.status_code == 422
    assert "Fill in “Name”." in page
    assert "help@acme.test" in page
    tenant.refresh_from_db()
    assert tenant.name == "Acme Aerospace"


def test_an_auditor_changes_nothing(signed_in, auditor, tenant):
    client = signed_in(auditor)
    client.post(path("settings-organisation"), ORGANISATION)
    client.post(path("settings-policy"), POLICY)
    tenant.refresh_from_db()
    assert tenant.name == "Acme Aerospace"
    assert UserSettings.objects.get(tenant=tenant).pin_length == 8
    page = text(client.get(path("settings-policy")))
    assert "You may look at these settings, not change them." in page
    assert "<button" not in page.split("<main")[1].split("</main>")[0]


def test_the_policy_is_changed_for_the_own_organisation_only(
    signed_in, admin, tenant, other_tenant
):
    signed_in(admin).post(path("settings-policy"), POLICY)
    assert UserSettings.objects.get(tenant=tenant).pin_length == 6
    assert UserSettings.objects.get(tenant=other_tenant).pin_length == 8


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("pin_length", 3),
        ("pin_length", 13),
        ("pin_days", 0),
        ("invitation_days", 31),
        ("profile_minutes", 4),
        ("device_limit", 51),
        ("max_reminders", 31),
        ("pin_length", "eight"),
        ("pin_length", ""),
    ],
)
def test_values_out_of_range_are_refused(signed_in, admin, tenant, field, value):
    response = signed_in(admin).post(path("settings-policy"), POLICY | {field: value})
    assert response.status_code == 422
    assert "There is a problem" in text(response)
    assert UserSettings.objects.get(tenant=tenant).invitation_days == 7


def test_no_device_limit_is_an_empty_field(signed_in, admin, tenant):
    signed_in(admin).post(path("settings-policy"), POLICY | {"device_limit": ""})
    assert UserSettings.objects.get(tenant=tenant).device_limit is None


def make_token(client, **data):
    form = {"name": "Export", "days": "30", "scopes": ["devices.view"]}
    return client.post(path("settings-token-new"), form | data)


def test_a_token_is_shown_once(signed_in, admin):
    client = signed_in(admin)
    confirm(client)
    response = make_token(client)
    token = ApiToken.objects.get()
    made = response.context["text"]
    assert made.startswith("mst_")
    assert made in text(response)
    assert "no-store" in response.headers["Cache-Control"]
    later = text(client.get(path("settings-tokens")))
    assert made not in later
    assert token.prefix in later
    assert token.expires_at is not None


def test_a_token_wants_a_recent_sign_in(signed_in, admin):
    response = make_token(signed_in(admin))
    assert response.url.startswith(path("account_reauthenticate"))
    assert not ApiToken.objects.exists()


@pytest.mark.parametrize("scopes", [[], ["roles.assign"], ["nonsense"], ["devices.view", "x"]])
def test_nobody_gives_a_token_what_they_lack(signed_in, admin, scopes):
    client = signed_in(admin)
    confirm(client)
    assert make_token(client, scopes=scopes).status_code == 422
    assert not ApiToken.objects.exists()


@pytest.mark.parametrize("who", ["helpdesk", "auditor"])
def test_tokens_are_made_by_those_who_may(request, signed_in, who):
    client = signed_in(request.getfixturevalue(who))
    confirm(client)
    assert make_token(client).status_code == 403


def test_a_revoked_token_stays_in_sight(signed_in, admin):
    token, _text = factories.token(admin)
    client = signed_in(admin)
    client.post(path("settings-token-revoke", token.pk))
    token.refresh_from_db()
    assert token.revoked_at is not None
    assert history_of(token)[-1] == "accounts.token.revoked"
    assert "revoked" in text(client.get(path("settings-tokens")))


def test_tokens_of_others_cannot_be_revoked(signed_in, owner, stranger):
    token, _text = factories.token(stranger)
    assert signed_in(owner).post(path("settings-token-revoke", token.pk)).status_code == 404
    token.refresh_from_db()
    assert token.revoked_at is None

"""Who gets in: tokens, their scopes and their end."""

from __future__ import annotations

import datetime as dt

import pytest

from accounts.access import PERMISSIONS
from accounts.models import ApiToken
from accounts.services import tokens, users
from core import clock
from core.models import HistoryEntry
from tests import factories
from tests.api.conftest import Caller, code_of, fields_of

pytestmark = pytest.mark.django_db


def test_without_a_token_nobody_is_heard(tenant):
    answer = Caller().get("devices/")
    assert (answer.status_code, code_of(answer)) == (401, "not_authenticated")
    assert answer["WWW-Authenticate"] == "Bearer"
    assert "Set-Cookie" not in answer


@pytest.mark.parametrize("token", ["mst_wrong", "x", "ä", "a b", "' OR 1=1 --"])
def test_a_wrong_token_is_refused(tenant, token):
    answer = Caller(token.encode().decode("latin-1")).get("devices/")
    assert answer.status_code == 401


def test_another_scheme_is_not_looked_at(api):
    assert Caller(api.token, scheme="Basic").get("devices/").status_code == 401
    assert Caller(api.token, scheme="Token").get("devices/").status_code == 401


@pytest.mark.parametrize("name", ["token", "access_token", "api_key", "Authorization"])
def test_a_token_in_the_query_string_is_refused(api, name):
    assert Caller().get(f"devices/?{name}={api.token}").status_code == 401
    refused = api.get(f"devices/?{name}={api.token}")
    assert refused.status_code == 400
    assert api.token not in refused.content.decode()


def test_a_portal_session_is_no_credential_of_the_api(signed_in, owner):
    assert signed_in(owner).get("/api/v1/devices/").status_code == 401


def test_a_revoked_token_ends_at_once(owner):
    row, text = factories.token(owner)
    assert Caller(text).get("devices/").status_code == 200
    tokens.revoke(token=row, actor=owner.actor)
    assert Caller(text).get("devices/").status_code == 401


def test_an_expired_token_is_refused(owner):
    row, text = factories.token(owner)
    ApiToken.objects.filter(pk=row.pk).update(expires_at=clock.now())
    assert Caller(text).get("devices/").status_code == 401


def test_a_disabled_owner_ends_the_token(caller, admin, owner):
    program = caller(admin)
    users.set_enabled(user=admin, enabled=False, actor=owner.actor)
    assert program.get("devices/").status_code == 401


def test_a_token_does_no_more_than_its_scopes(caller, owner, device):
    program = caller(owner, "devices.view")
    assert program.get("devices/").status_code == 200
    for path in ("users/", "history/", "tokens/", "policy/", "invitations/"):
        answer = program.get(path)
        assert (answer.status_code, code_of(answer)) == (403, "permission_denied")
    assert program.post(f"devices/{device.pk}/lock/").status_code == 403


def test_a_token_does_no_more_than_its_owner_still_may(caller, admin, owner):
    program = caller(admin, "settings.manage")
    users.set_roles(user=admin, roles=[], principal=owner)
    assert program.get("policy/").status_code == 403


@pytest.mark.parametrize("role", ["owner", "administrator", "helpdesk", "auditor"])
def test_every_role_reaches_what_it_may_and_nothing_else(tenant, caller, role):
    user = factories.user(tenant, role)
    program = caller(user)
    lists = {
        "devices/": "devices.view",
        "commands/": "devices.view",
        "users/": "users.view",
        "roles/": "users.view",
        "invitations/": "invitations.view",
        "invitations/funnel/": "invitations.view",
        "enrollments/": "invitations.view",
        "history/": "history.view",
        "messages/": "settings.view",
        "tokens/": "settings.view",
        "policy/": "settings.view",
        "organisation/": "settings.view",
        "push/": "settings.view",
    }
    for path, permission in lists.items():
        assert (program.get(path).status_code == 200) is user.has(permission), path


def test_rights_are_asked_before_the_body_is_read(caller, owner, device):
    program = caller(owner, "devices.view")
    assert program.call("POST", f"devices/{device.pk}/wipe/", b"{broken").status_code == 403


def test_last_use_is_noted_at_most_once_a_minute(owner):
    row, text = factories.token(owner)
    Caller(text).get("devices/")
    row.refresh_from_db()
    first = row.last_used_at
    assert first is not None
    Caller(text).get("devices/")
    row.refresh_from_db()
    assert row.last_used_at == first


# Tokens that make tokens


def new(**fields):
    return {"name": "ci", "scopes": ["devices.view"]} | fields


def test_a_token_is_made_shown_once_and_works(api, owner):
    answer = api.post("tokens/", new())
    assert answer.status_code == 201
    text = answer.json()["token"]
    assert Caller(text).get("devices/").status_code == 200
    assert text not in api.get("tokens/").content.decode()
    row = ApiToken.objects.get(pk=answer.json()["id"])
    assert row.owner == owner
    assert text not in str(ApiToken.objects.filter(pk=row.pk).values().get())
    assert HistoryEntry.objects.about(row).get().actor_kind == "token"


def test_a_token_cannot_grant_what_it_lacks_itself(caller, owner):
    program = caller(owner, "tokens.manage", "devices.view")
    refused = program.post("tokens/", new(scopes=["devices.wipe"]))
    assert (refused.status_code, code_of(refused)) == (403, "not_allowed_to_grant")
    assert program.post("tokens/", new()).status_code == 201


def test_a_token_cannot_outlive_the_one_that_makes_it(owner):
    ends = clock.now() + dt.timedelta(days=1)
    _row, text = tokens.create(
        owner=owner,
        name="short",
        scopes=["tokens.manage", "devices.view"],
        actor=owner.actor,
        expires_at=ends,
    )
    program = Caller(text)
    later = (ends + dt.timedelta(days=1)).isoformat()
    assert "expires_at" in fields_of(program.post("tokens/", new()))
    assert "expires_at" in fields_of(program.post("tokens/", new(expires_at=later)))
    sooner = (ends - dt.timedelta(hours=1)).isoformat()
    assert program.post("tokens/", new(expires_at=sooner)).status_code == 201


@pytest.mark.parametrize(
    "body",
    [
        {},
        new(scopes=[]),
        new(scopes=["everything"]),
        new(scopes="devices.view"),
        new(name=""),
        new(name="x" * 81),
        new(expires_at="2001-01-01T00:00:00Z"),
        new(expires_at="tomorrow"),
        new(owner="somebody@else.test"),
        new(tenant="globex"),
        [new()],
        "text",
    ],
)
def test_an_impossible_token_is_refused(api, body):
    answer = api.post("tokens/", body)
    assert (answer.status_code, code_of(answer)) == (400, "invalid")


def test_a_token_is_revoked(api, owner):
    row, text = factories.token(owner, "devices.view")
    assert api.delete(f"tokens/{row.pk}/").status_code == 204
    assert Caller(text).get("devices/").status_code == 401


def test_nobody_revokes_the_token_of_another_organisation(foreign_api, owner):
    row, _text = factories.token(owner)
    assert foreign_api.delete(f"tokens/{row.pk}/").status_code == 404
    row.refresh_from_db()
    assert row.revoked_at is None


def test_every_permission_can_be_a_scope():
    from accounts.api.serializers import SCOPES

    assert set(SCOPES) == set(PERMISSIONS)

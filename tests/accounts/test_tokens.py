from __future__ import annotations

import datetime as dt

import pytest

from accounts import errors
from accounts.access import PERMISSIONS, READY_MADE_ROLES, REQUIRES, with_required
from accounts.models import ApiToken
from accounts.services import tokens, users
from core import clock

pytestmark = pytest.mark.django_db


def create(owner, *scopes, **fields):
    return tokens.create(owner=owner, name="ci", scopes=scopes, actor=owner.actor, **fields)


def test_a_token_is_stored_hashed_and_names_its_prefix(owner):
    token, text = create(owner, "devices.view")
    assert text.startswith("mst_")
    assert text not in str(ApiToken.objects.values().get())
    assert text.startswith(token.prefix)


def test_a_token_gets_what_its_scopes_build_on(owner):
    token, _text = create(owner, "devices.wipe")
    assert token.scopes == ["devices.view", "devices.wipe"]


@pytest.mark.parametrize("scopes", [(), ("nonsense",), ("users.manage",)])
def test_a_scope_that_the_owner_lacks_is_refused(helpdesk, scopes):
    with pytest.raises(errors.NotAllowedToGrant):
        create(helpdesk, *scopes)


def test_a_token_never_outlives_the_rights_of_its_owner(admin, owner):
    token, _text = create(admin, "devices.wipe")
    assert token.has("devices.wipe")
    users.set_roles(user=admin, roles=[], principal=owner)
    assert not ApiToken.objects.get(pk=token.pk).has("devices.wipe")


def test_a_revoked_expired_or_orphaned_token_is_dead(owner, admin):
    live, _ = create(owner, "devices.view")
    revoked, _ = create(owner, "devices.view")
    tokens.revoke(token=revoked, actor=owner.actor)
    create(owner, "devices.view", expires_at=clock.now() - dt.timedelta(seconds=1))
    create(admin, "devices.view")
    users.set_enabled(user=admin, enabled=False, actor=owner.actor)
    assert list(ApiToken.objects.live(clock.now())) == [live]


def test_every_dependency_names_a_permission():
    for name, needed in REQUIRES.items():
        assert {name, *needed} <= PERMISSIONS.keys()


def test_every_ready_made_role_is_complete():
    for role in READY_MADE_ROLES:
        assert with_required(role.permissions) == role.permissions
    auditor = READY_MADE_ROLES[-1]
    assert all(name.endswith(".view") for name in auditor.permissions)

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from accounts import errors
from accounts.models import Role, User
from accounts.models import UserSession as Session
from accounts.services import users
from core import onetime
from core.models import HistoryEntry
from tests import factories

pytestmark = pytest.mark.django_db


def role(tenant, key: str) -> Role:
    return Role.objects.get(tenant=tenant, key=key)


def test_a_new_person_has_no_password_and_a_lower_case_address(tenant, owner):
    user = users.create(tenant=tenant, email=" New.Person@Acme.Test ", actor=owner.actor)
    assert user.email == "new.person@acme.test"
    assert not user.has_usable_password()
    assert HistoryEntry.objects.about(user).get().action == "accounts.user.created"


@pytest.mark.parametrize(
    "email",
    ["", "no-at", "a@b", "x@y.test\r\nBcc: z@y.test", "a" * 250 + "@y.test", "a b@y.test"],
)
def test_an_address_that_is_none_is_refused(tenant, owner, email):
    with pytest.raises(ValidationError):
        users.create(tenant=tenant, email=email, actor=owner.actor)
    assert not User.objects.exclude(pk=owner.pk).exists()


def test_an_address_is_unique_in_the_whole_server(tenant, owner, stranger, person):
    for taken in (stranger.email.upper(), person.email):
        with pytest.raises(errors.AddressTaken):
            users.create(tenant=tenant, email=taken, actor=owner.actor)


def test_an_address_of_another_tenant_is_never_returned(tenant, owner, stranger):
    with pytest.raises(errors.AddressTaken):
        users.find_or_create(tenant=tenant, email=stranger.email, actor=owner.actor)


def test_editing_changes_only_what_may_be_edited(person, other_tenant, owner):
    users.edit(
        user=person,
        actor=owner.actor,
        first_name="Pia 😀",
        tenant=other_tenant,
        is_active=False,
        email="x@y.test",
    )
    person.refresh_from_db()
    assert (person.first_name, person.is_active) == ("Pia 😀", True)
    assert person.tenant_id == owner.tenant_id
    entry = HistoryEntry.objects.about(person).get(action="accounts.user.edited")
    assert entry.data == {"first_name": ["Pia", "Pia 😀"]}


def test_disabling_ends_sessions_and_links(client, admin, owner, tenant):
    client.force_login(admin, backend="accounts.backends.PortalBackend")
    _row, token = onetime.issue(
        tenant=tenant,
        purpose="reset",
        subject=onetime.subject_of(admin),
        ttl=__import__("datetime").timedelta(hours=1),
    )
    users.set_enabled(user=admin, enabled=False, actor=owner.actor)
    assert not Session.objects.exists()
    assert onetime.find("reset", token) is None


def test_the_last_owner_can_be_neither_disabled_nor_demoted(owner, admin, tenant):
    with pytest.raises(errors.LastOwner):
        users.set_enabled(user=owner, enabled=False, actor=admin.actor)
    with pytest.raises(errors.LastOwner):
        users.set_roles(user=owner, roles=[], principal=owner)
    second = factories.user(tenant, "owner")
    assert not users.set_enabled(user=owner, enabled=False, actor=second.actor).is_active


def test_a_disabled_owner_does_not_count_as_one(owner, tenant):
    factories.user(tenant, "owner", is_active=False)
    with pytest.raises(errors.LastOwner):
        users.set_enabled(user=owner, enabled=False, actor=owner.actor)


def test_nobody_grants_what_they_lack(admin, helpdesk, person, tenant, owner):
    with pytest.raises(errors.NotAllowedToGrant):
        users.set_roles(user=person, roles=[role(tenant, "owner")], principal=admin)
    with pytest.raises(errors.NotAllowedToGrant):
        users.set_roles(user=admin, roles=[role(tenant, "owner")], principal=admin)
    users.set_roles(user=person, roles=[role(tenant, "helpdesk")], principal=owner)
    assert User.objects.get(pk=person.pk).has("devices.lock")


def test_a_role_of_another_tenant_cannot_be_given(person, owner, other_tenant):
    with pytest.raises(errors.ForeignObject):
        users.set_roles(user=person, roles=[role(other_tenant, "helpdesk")], principal=owner)


def test_a_demoted_administrator_loses_the_session(client, admin, owner):
    client.force_login(admin, backend="accounts.backends.PortalBackend")
    users.set_roles(user=admin, roles=[], principal=owner)
    assert not Session.objects.exists()


def test_people_are_seen_only_by_those_who_may_and_only_the_own_ones(
    owner, helpdesk, person, stranger
):
    assert stranger not in User.objects.visible_to(owner)
    assert person in User.objects.visible_to(helpdesk)
    assert not User.objects.visible_to(person).exists()


def test_who_adds_a_person_a_moment_too_late_hears_that_the_address_is_taken(
    tenant, admin, person, monkeypatch
):
    look = QuerySet.exists
    monkeypatch.setattr(QuerySet, "exists", lambda self: self.model is not User and look(self))
    with pytest.raises(errors.AddressTaken):
        users.create(tenant=tenant, email=person.email.upper(), actor=admin.actor)


def test_who_looks_for_a_person_a_moment_too_late_finds_it(tenant, admin, monkeypatch):
    def late(**_):
        factories.user(tenant, email="new@acme.test")
        raise errors.AddressTaken

    monkeypatch.setattr(users, "create", late)
    found = users.find_or_create(tenant=tenant, email="New@acme.test", actor=admin.actor)
    assert found == User.objects.get(email="new@acme.test")

from __future__ import annotations

import pytest

from accounts.models import Role, User
from core.models import HistoryEntry
from tests.api.conftest import code_of, fields_of

pytestmark = pytest.mark.django_db


def test_a_person_is_added_without_password_and_role(api, tenant):
    answer = api.post("users/", {"email": "New.Person@Acme.test", "first_name": "Nia"})
    assert answer.status_code == 201
    user = User.objects.get(pk=answer.json()["id"])
    assert (user.tenant, user.email) == (tenant, "new.person@acme.test")
    assert not user.has_usable_password()
    assert user.roles.count() == 0


@pytest.mark.parametrize(
    "surplus",
    [
        {"roles": ["owner"]},
        {"tenant": "x"},
        {"tenant_id": "x"},
        {"is_superuser": True},
        {"is_active": False},
        {"password": "x"},
        {"id": "00000000-0000-7000-8000-000000000000"},
        {"source": "ldap"},
        {"must_change_password": False},
        {"created_at": "2001-01-01T00:00:00Z"},
    ],
)
def test_nobody_assigns_what_is_not_offered(api, person, surplus):
    """S-81."""
    name = next(iter(surplus))
    created = api.post("users/", {"email": "x@acme.test"} | surplus)
    assert (created.status_code, list(fields_of(created))) == (400, [name])
    assert not User.objects.filter(email="x@acme.test").exists()
    before = User.objects.filter(pk=person.pk).values().get()
    edited = api.patch(f"users/{person.pk}/", {"first_name": "P"} | surplus)
    assert (edited.status_code, list(fields_of(edited))) == (400, [name])
    assert User.objects.filter(pk=person.pk).values().get() == before


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "email"),
        ({"email": "nobody"}, "email"),
        ({"email": "a@b.test\r\nBcc: x@y.test"}, "email"),
        ({"email": "x" * 300 + "@acme.test"}, "email"),
        ({"email": "a@acme.test", "time_zone": "Mars/Olympus"}, "time_zone"),
        ({"email": "a@acme.test", "language": "tlh"}, "language"),
        ({"email": "a@acme.test", "first_name": "x" * 81}, "first_name"),
    ],
)
def test_an_impossible_person_is_refused(api, body, field):
    answer = api.post("users/", body)
    assert answer.status_code == 400
    assert field in fields_of(answer)


def test_an_address_that_is_taken_does_not_tell_by_whom(api, stranger, person):
    own = api.post("users/", {"email": person.email})
    foreign = api.post("users/", {"email": stranger.email})
    assert own.status_code == foreign.status_code == 409
    assert own.json() == foreign.json()


def test_a_person_is_edited_with_history(api, person):
    answer = api.patch(f"users/{person.pk}/", {"last_name": "Person", "language": "fr"})
    assert answer.json()["name"] == "Pia Person"
    entry = HistoryEntry.objects.get(action="accounts.user.edited")
    assert entry.data["language"] == ["", "fr"]


def test_markup_in_a_name_is_text(api, person):
    name = "<svg onload=alert(1)>${7*7}{{7*7}}"
    assert api.patch(f"users/{person.pk}/", {"first_name": name}).json()["first_name"] == name


def test_a_person_is_disabled_and_enabled(api, person):
    assert api.post(f"users/{person.pk}/disable/").json()["is_active"] is False
    assert api.post(f"users/{person.pk}/enable/").json()["is_active"] is True


def test_the_last_owner_stays(api, owner):
    answer = api.post(f"users/{owner.pk}/disable/")
    assert (answer.status_code, code_of(answer)) == (409, "last_owner")


def test_roles_are_replaced(api, person):
    answer = api.put(f"users/{person.pk}/roles/", {"roles": ["helpdesk", "auditor"]})
    assert sorted(answer.json()["roles"]) == ["auditor", "helpdesk"]
    assert api.put(f"users/{person.pk}/roles/", {"roles": []}).json()["roles"] == []


def test_nobody_gives_a_role_with_more_than_they_may(caller, owner, admin, person):
    narrow = caller(owner, "roles.assign")
    refused = narrow.put(f"users/{person.pk}/roles/", {"roles": ["owner"]})
    assert (refused.status_code, code_of(refused)) == (403, "not_allowed_to_grant")
    assert caller(admin).put(f"users/{person.pk}/roles/", {"roles": []}).status_code == 403


def test_a_role_of_another_organisation_does_not_exist(api, person, other_tenant):
    """S-80."""
    Role.objects.create(tenant=other_tenant, key="spy", name="spy", permissions=[])
    answer = api.put(f"users/{person.pk}/roles/", {"roles": ["spy"]})
    assert (answer.status_code, code_of(answer)) == (400, "unknown_object")
    assert api.put(f"users/{person.pk}/roles/", {"roles": ["auditor", "x"]}).status_code == 400
    assert person.roles.count() == 0


@pytest.mark.parametrize(
    ("method", "suffix"),
    [
        ("GET", ""),
        ("PATCH", ""),
        ("POST", "disable/"),
        ("POST", "enable/"),
        ("PUT", "roles/"),
    ],
)
def test_a_person_of_another_organisation_does_not_exist(foreign_api, person, method, suffix):
    answer = foreign_api.call(method, f"users/{person.pk}/{suffix}", {"roles": ["owner"]})
    assert (answer.status_code, code_of(answer)) == (404, "not_found")
    person.refresh_from_db()
    assert person.is_active


@pytest.mark.parametrize("pk", ["me", "1", "../users", "00000000", "%00"])
def test_an_impossible_key_is_not_found(api, pk):
    assert api.get(f"users/{pk}/").status_code == 404


def test_adding_is_safe_to_repeat(api):
    body, key = {"email": "once@acme.test"}, {"Idempotency-Key": "add-once"}
    first, again = api.post("users/", body, **key), api.post("users/", body, **key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert code_of(api.post("users/", body)) == "address_taken"


def test_the_roles_are_told(api):
    keys = {row["key"] for row in api.all("roles/")}
    assert keys == {"owner", "administrator", "helpdesk", "auditor"}


# Policy and organisation


def test_the_policy_is_read_and_changed(api, tenant):
    assert api.get("policy/").json()["pin_length"] == 8
    answer = api.patch("policy/", {"pin_length": 10, "device_limit": None})
    assert (answer.json()["pin_length"], answer.json()["device_limit"]) == (10, None)
    assert HistoryEntry.objects.get(action="accounts.policy.changed").data["pin_length"] == [8, 10]


@pytest.mark.parametrize(
    "body",
    [
        {"pin_length": 3},
        {"pin_length": 13},
        {"pin_days": 0},
        {"profile_minutes": 61},
        {"device_limit": 51},
        {"max_reminders": -1},
        {"is_default": False},
        {"tenant": "x"},
        {"pin_length": "long"},
    ],
)
def test_an_impossible_policy_is_refused(api, body):
    answer = api.patch("policy/", body)
    assert (answer.status_code, list(fields_of(answer))) == (400, list(body))
    assert not HistoryEntry.objects.filter(action="accounts.policy.changed").exists()


def test_the_organisation_is_read_and_changed(api, tenant):
    answer = api.patch("organisation/", {"name": "Acme Space", "help_contact": "help@acme.test"})
    assert answer.json()["name"] == "Acme Space"
    tenant.refresh_from_db()
    assert tenant.help_contact == "help@acme.test"


@pytest.mark.parametrize(
    "body",
    [
        {"slug": "globex"},
        {"id": "x"},
        {"hosts": ["evil.test"]},
        {"enrolled_public_url": "https://evil.test"},
        {"name": ""},
        {"name": "x" * 101},
        {"time_zone": "Mars/Olympus"},
        {"language": "tlh"},
    ],
)
def test_what_the_organisation_is_known_by_stays(api, tenant, body):
    answer = api.patch("organisation/", body)
    assert (answer.status_code, list(fields_of(answer))) == (400, list(body))


def test_settings_are_the_callers_own(foreign_api, api, other_tenant):
    assert foreign_api.get("organisation/").json()["name"] == other_tenant.name
    foreign_api.patch("policy/", {"pin_length": 12})
    assert api.get("policy/").json()["pin_length"] == 8


def test_looking_is_not_changing(caller, auditor):
    program = caller(auditor)
    assert program.patch("policy/", {"pin_length": 10}).status_code == 403
    assert program.patch("organisation/", {"name": "x"}).status_code == 403

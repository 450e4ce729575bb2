from __future__ import annotations

import pytest
from django.conf import settings as django_settings
from django.test import Client

from accounts.models import Role, User
from tests import factories
from tests.portal import confirm, history_of, path, text

pytestmark = pytest.mark.django_db
LIST = "/users/"


def names(response) -> list[str]:
    return [row.record.email for row in response.context["table"].page.object_list]


def test_the_list_shows_own_people_with_roles_and_devices(signed_in, helpdesk, person, stranger):
    factories.device(person.tenant, person)
    factories.device(person.tenant, person, state="retired")
    response = signed_in(helpdesk).get(LIST)
    assert sorted(names(response)) == sorted([helpdesk.email, person.email])
    page = text(response)
    assert "Help desk" in page
    assert f'href="/devices/?user={person.pk}">1</a>' in page


def test_people_are_found_by_name_role_and_account(signed_in, helpdesk, person, tenant):
    factories.user(tenant, email="gone@acme.test", is_active=False)
    client = signed_in(helpdesk)
    role = Role.objects.get(tenant=tenant, key="helpdesk")
    assert names(client.get(LIST, {"q": "pia"})) == [person.email]
    assert names(client.get(LIST, {"account": "disabled"})) == ["gone@acme.test"]
    assert names(client.get(LIST, {"access": "some"})) == [helpdesk.email]
    assert names(client.get(LIST, {"role": role.pk})) == [helpdesk.email]


def test_a_role_of_others_is_no_filter(signed_in, helpdesk, other_tenant, stranger):
    role = Role.objects.get(tenant=other_tenant, key="owner")
    response = signed_in(helpdesk).get(LIST, {"role": role.pk})
    assert stranger.email not in text(response)


def test_the_number_of_queries_does_not_grow(
    signed_in, admin, tenant, django_assert_max_num_queries
):
    for _ in range(20):
        factories.device(tenant, factories.user(tenant, "auditor"))
    client = signed_in(admin)
    with django_assert_max_num_queries(14):
        client.get(LIST)


def test_a_person_page_tells_devices_invitations_and_history(signed_in, admin, device, person):
    page = text(signed_in(admin).get(path("user-detail", person.pk)))
    assert path("device-detail", device.pk) in page
    assert "Never invited." in page
    assert "not set yet" in page


def test_nobody_sees_people_of_others(signed_in, owner, stranger):
    client = signed_in(owner)
    confirm(client)
    for name in ("user-detail", "accounts:user-edit", "accounts:user-roles"):
        assert client.get(path(name, stranger.pk)).status_code == 404
    for name in ("accounts:user-disable", "accounts:user-enable"):
        assert client.post(path(name, stranger.pk)).status_code == 404
    assert User.objects.get(pk=stranger.pk).is_active


@pytest.mark.parametrize("who", ["helpdesk", "auditor"])
@pytest.mark.parametrize("action", ["edit", "roles", "disable", "enable"])
def test_those_who_may_not_change_people_cannot(request, signed_in, person, who, action):
    client = signed_in(request.getfixturevalue(who))
    confirm(client)
    assert client.post(path(f"accounts:user-{action}", person.pk)).status_code == 403
    page = text(client.get(path("user-detail", person.pk)))
    assert path(f"accounts:user-{action}", person.pk) not in page


def test_an_administrator_cannot_give_roles(signed_in, admin, person):
    client = signed_in(admin)
    confirm(client)
    assert client.get(path("accounts:user-roles", person.pk)).status_code == 403


def test_a_person_is_added_without_a_password(signed_in, admin):
    data = {"email": "Nora.New@acme.test", "first_name": "Nora", "last_name": "New"}
    assert signed_in(admin).post(path("invitations:person-new"), data).url == LIST
    nora = User.objects.get(email="nora.new@acme.test")
    assert nora.tenant_id == admin.tenant_id
    assert not nora.has_usable_password()


@pytest.mark.parametrize("taken", ["stranger", "person"])
def test_a_taken_address_says_the_same_wherever_it_is_taken(request, signed_in, admin, taken):
    email = request.getfixturevalue(taken).email
    response = signed_in(admin).post(path("invitations:person-new"), {"email": email})
    assert response.status_code == 422
    page = text(response)
    assert page.count("This e-mail address cannot be used here.") == 2
    assert 'aria-invalid="true"' in page


def test_editing_is_written_with_before_and_after(signed_in, admin, person):
    data = {"first_name": "Pia", "last_name": "Lind", "language": "fr", "time_zone": ""}
    client = signed_in(admin)
    response = client.post(path("accounts:user-edit", person.pk), data, follow=True)
    assert "Saved." in text(response)
    person.refresh_from_db()
    assert (person.last_name, person.language) == ("Lind", "fr")
    assert history_of(person) == ["accounts.user.edited"]


@pytest.mark.parametrize("field", ["time_zone", "language"])
def test_what_is_not_in_the_list_is_refused(signed_in, admin, person, field):
    response = signed_in(admin).post(path("accounts:user-edit", person.pk), {field: "Mars/North"})
    assert response.status_code == 422
    assert history_of(person) == []


def test_hidden_fields_cannot_be_posted(signed_in, admin, person):
    client = signed_in(admin)
    data = {"first_name": "P", "is_active": "", "email": "x@acme.test", "roles": "1"}
    client.post(path("accounts:user-edit", person.pk), data)
    person.refresh_from_db()
    assert (person.email, person.is_active) == ("pia.person@acme.test", True)
    assert not person.roles.exists()


def test_disabling_asks_first_and_can_be_undone(signed_in, admin, person):
    client = signed_in(admin)
    page = text(client.get(path("accounts:user-disable", person.pk)))
    assert "Devices that are enrolled stay managed" in page
    client.post(path("accounts:user-disable", person.pk))
    person.refresh_from_db()
    assert not person.is_active
    client.post(path("accounts:user-enable", person.pk))
    person.refresh_from_db()
    assert person.is_active


def test_the_last_owner_stays(signed_in, owner):
    response = signed_in(owner).post(path("accounts:user-disable", owner.pk))
    assert response.status_code == 422
    assert "At least one enabled owner must remain." in text(response)


def test_roles_want_a_recent_sign_in_and_are_written(signed_in, owner, person, tenant):
    client, where = signed_in(owner), path("accounts:user-roles", person.pk)
    role = Role.objects.get(tenant=tenant, key="auditor")
    assert client.post(where, {"roles": [role.pk]}).url.startswith(path("account_reauthenticate"))
    confirm(client)
    client.post(where, {"roles": [role.pk]})
    assert list(person.roles.all()) == [role]
    assert history_of(person) == ["accounts.roles.changed"]


def test_a_role_of_another_organisation_cannot_be_given(signed_in, owner, person, other_tenant):
    client = signed_in(owner)
    confirm(client)
    foreign = Role.objects.get(tenant=other_tenant, key="owner")
    response = client.post(path("accounts:user-roles", person.pk), {"roles": [foreign.pk]})
    assert response.status_code == 422
    assert not person.roles.exists()


def test_the_language_is_kept_on_the_account(signed_in, admin):
    client = signed_in(admin)
    response = client.post("/language/", {"language": "fr", "next": "/devices/"})
    assert response.url == "/devices/"
    admin.refresh_from_db()
    assert admin.language == "fr"
    assert 'lang="fr"' in text(client.get("/devices/"))


@pytest.mark.django_db
def test_the_language_of_a_stranger_is_kept_in_a_cookie(client, tenant):
    client.post("/language/", {"language": "fr", "next": "/sign-in/"})
    assert client.cookies[django_settings.LANGUAGE_COOKIE_NAME].value == "fr"
    assert 'lang="fr"' in text(client.get("/sign-in/"))


@pytest.mark.parametrize(
    "target", ["https://evil.test/", "//evil.test", "/\\evil.test", "javascript:alert(1)", ""]
)
def test_the_language_form_leads_nowhere_else(client, tenant, target):
    response = client.post("/language/", {"language": "fr", "next": target})
    assert response.url == "/"


def test_an_unknown_language_changes_nothing(client, tenant):
    client.post("/language/", {"language": "../../etc"})
    assert django_settings.LANGUAGE_COOKIE_NAME not in client.cookies


def test_the_language_form_is_guarded_too(tenant):
    client = Client(enforce_csrf_checks=True)
    assert client.post("/language/", {"language": "fr"}).status_code == 403

"""Organisations on one server: whatever is named, sent or searched for stays at home."""

from __future__ import annotations

import inspect
import re
import uuid

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client

from accounts.models import ApiToken, Role, User, UserSettings
from core.models import HistoryEntry, OutboxMessage, Tenant
from devices.models import Device
from enrollment.models import EnrollmentSession, Invitation
from mdm.celery import app as celery
from tests import factories
from tests.architecture.objects import World, values_of
from tests.architecture.routes import routes
from tests.portal import confirm

pytestmark = pytest.mark.django_db
TABLES = {
    model._meta.db_table
    for model in apps.get_models()
    if any(field.name == "tenant" for field in model._meta.fields)
}
# Who knows one of these knows the row: it has 128 bits, is unique, or holds the id of a row.
BEARER = ("hash", "browser_hash", "sha256", "email", "subject")
SCOPED = re.compile(
    rf'"(?:\w+_)?id" (?:=|IN)|"(?:{"|".join(BEARER)})" (?:=|IN)|UPPER\("\w+"."email"', re.IGNORECASE
)


@pytest.fixture
def world(tenant):
    return World(tenant)


@pytest.fixture
def home(world, signed_in):
    client = signed_in(world.owner)
    confirm(client)
    return client


@pytest.fixture
def elsewhere(other_tenant):
    return World(other_tenant)


def statements(ask) -> list[str]:
    seen: list[str] = []
    with connection.execute_wrapper(lambda run, sql, *rest: seen.append(sql) or run(sql, *rest)):
        ask()
    return seen


def unscoped(sql: str) -> bool:
    found = re.match(r'(?:SELECT .*? FROM|UPDATE|DELETE FROM) "(\w+)"', sql, re.DOTALL)
    if found is None or found[1] not in TABLES:
        return False
    _before, _where, condition = sql.partition(" WHERE ")
    return not SCOPED.search(condition)


def test_the_check_knows_a_query_without_a_tenant():
    assert {"devices_device", "accounts_user", "core_outboxmessage"} <= TABLES
    assert unscoped('SELECT "devices_device"."id" FROM "devices_device" LIMIT 5')
    assert unscoped('UPDATE "devices_device" SET "state" = %s WHERE "devices_device"."state" = %s')
    assert not unscoped('SELECT 1 FROM "devices_device" WHERE "devices_device"."tenant_id" = %s')


def test_no_page_and_no_call_asks_without_saying_whose(world, home):
    _row, token = factories.token(world.owner)
    api = Client(headers={"authorization": f"Bearer {token}"}, raise_request_exception=False)
    asked = []
    for route in routes():
        if route.pattern.startswith(("mdm/", "go", "[Gg]", "enroll/", "readyz", "metrics")):
            continue
        values = values_of(route.pattern, world) if route.parameters else {}
        visitor = api if route.pattern.startswith("api/") else home
        path = route.path(**values or {})
        for method in ("GET", "POST") if "sign-out" not in path else ("GET",):
            seen = statements(lambda m=method, p=path, v=visitor: v.generic(m, p))
            asked += [f"{method} {route.pattern}: {sql[:300]}" for sql in seen if unscoped(sql)]
    assert not asked, "\n".join(sorted(set(asked)))


def test_a_task_carries_one_id_at_most_and_no_tenant():
    """Whose a row is, the row says; a task that could say so could lie."""
    for name, task in celery.tasks.items():
        if not name.startswith(("core.", "accounts.", "devices.", "enrollment.", "apple.", "mdm.")):
            continue
        parameters = list(inspect.signature(task.run).parameters)
        assert len(parameters) <= 1, name
        assert all(parameter.endswith("_id") for parameter in parameters), name
        assert "tenant" not in " ".join(parameters), name


def tasks_with_an_id() -> list:
    return [
        task
        for name, task in sorted(celery.tasks.items())
        if not name.startswith("celery.") and inspect.signature(task.run).parameters
    ]


def test_a_task_about_nothing_does_nothing(world):
    assert tasks_with_an_id()
    before = (OutboxMessage.objects.count(), HistoryEntry.objects.count())
    for task in tasks_with_an_id():
        assert not task.run(str(uuid.uuid4()))
    assert (OutboxMessage.objects.count(), HistoryEntry.objects.count()) == before


@pytest.mark.parametrize("wrong", ["", "1", "' OR 1=1 --", "../..", "x" * 1000])
def test_a_task_with_an_id_that_is_none_asks_the_database_nothing(wrong):
    for task in tasks_with_an_id():

        def run(task=task) -> None:
            with pytest.raises((ValidationError, ValueError)):
                task.run(wrong)

        assert statements(run) == [], task.name


# What belongs to another organisation cannot be named


def test_nobody_gives_a_role_of_another_organisation(home, world, elsewhere):
    foreign = Role.objects.get(tenant=elsewhere.tenant, key="helpdesk")
    answer = home.post(f"/users/{world.person.pk}/roles/", {"roles": [str(foreign.pk)]})
    assert answer.status_code == 422
    assert not world.person.roles.exists()
    _row, token = factories.token(world.owner)
    answer = Client().put(
        f"/api/v1/users/{world.person.pk}/roles/",
        {"roles": [str(foreign.pk)]},
        content_type="application/json",
        headers={"authorization": f"Bearer {token}"},
    )
    assert answer.status_code == 400


def test_nobody_invites_a_person_of_another_organisation(home, elsewhere):
    answer = home.post("/invitations/new/", {"emails": elsewhere.person.email})
    assert answer.status_code == 422
    assert Invitation.objects.filter(user=elsewhere.person).count() == 1
    assert elsewhere.tenant.name not in answer.content.decode()


def test_a_filter_by_somebody_elses_row_finds_nothing(home, world, elsewhere):
    foreign_role = Role.objects.get(tenant=elsewhere.tenant, key="owner")
    for path in (
        f"/devices/?user={elsewhere.person.pk}",
        f"/invitations/?user={elsewhere.person.pk}",
        f"/users/?role={foreign_role.pk}",
        f"/history/?about={elsewhere.device.pk}",
    ):
        text = home.get(path).content.decode()
        for mark in (elsewhere.person.email, elsewhere.device.serial, elsewhere.owner.email):
            assert mark not in text, path


def test_a_search_finds_only_at_home(home, elsewhere):
    words = (elsewhere.person.email, elsewhere.device.serial, elsewhere.device.name)
    for page in ("/devices/", "/users/", "/invitations/", "/invitations/enrollments/", "/history/"):
        for word in words:
            answer = home.get(page, {"q": word})
            text = answer.content.decode().replace(f'value="{word}"', "")
            assert str(elsewhere.device.pk) not in text
            assert str(elsewhere.person.pk) not in text
            assert list(answer.context["table"].page) == [], (page, word)


def test_numbers_count_only_at_home(home, world, elsewhere):
    before = home.get("/").context
    for _number in range(3):
        factories.device(elsewhere.tenant, elsewhere.person)
    after = home.get("/").context
    for name in ("stat_devices", "stat_sessions", "stat_invitations"):
        assert before[name]["value"] == after[name]["value"], name
    assert before["bars_total"] == after["bars_total"]


def test_a_mail_names_the_own_organisation(elsewhere, world):
    from django.core import mail as django_mail

    from core.services import delivery
    from enrollment.services import invitations

    Tenant.objects.filter(pk=world.tenant.pk).update(help_contact="help@acme.test")
    invitations.invite_user(user=elsewhere.person, actor=elsewhere.owner.actor)
    while delivery.sweep():
        pass
    texts = [m.body for m in django_mail.outbox if m.to == [elsewhere.person.email]]
    assert texts
    for text in texts:
        assert elsewhere.tenant.name in text
        assert world.tenant.name not in text
        assert "help@acme.test" not in text


def test_written_mails_are_shown_only_where_there_is_one_organisation(
    home, world, settings, tmp_path
):
    """The folder of a test server knows no tenants, so with two of them it stays closed."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.MAIL_DIR = tmp_path
    (tmp_path / "one.log").write_text("Subject: PIN for Pia\nTo: pia@acme.test\n\n1234 5678\n")
    assert "PIN for Pia" in home.get("/settings/mail/").content.decode()
    assert "1234 5678" in home.get("/settings/mail/files/one.log/").content.decode()
    factories.tenant()
    assert "PIN for Pia" not in home.get("/settings/mail/").content.decode()
    assert home.get("/settings/mail/files/one.log/").status_code == 404


# What nobody may set about themselves or others

SURPLUS = {
    "tenant": "{other}",
    "tenant_id": "{other}",
    "is_superuser": "on",
    "is_staff": "on",
    "is_active": "",
    "roles": "{role}",
    "role": "owner",
    "source": "ldap",
    "email": "thief@evil.test",
    "password": "thief",
    "must_change_password": "on",
    "id": "{id}",
}


def surplus(elsewhere, tenant) -> dict[str, str]:
    role = Role.objects.get(tenant=tenant, key="owner")
    known = {"other": elsewhere.tenant.pk, "role": role.pk, "id": uuid.uuid4()}
    return {name: value.format(**known) for name, value in SURPLUS.items()}


def facts(user: User) -> list:
    row = User.objects.get(pk=user.pk)
    roles = sorted(row.roles.values_list("key", flat=True))
    return [row.tenant_id, row.email, row.is_active, row.source, row.password, roles]


def test_a_form_about_a_person_sets_names_and_nothing_else(signed_in, admin, person, elsewhere):
    client = signed_in(admin)
    for target in (person, admin):
        before = facts(target)
        fields = {"first_name": "Grace", **surplus(elsewhere, admin.tenant)}
        assert client.post(f"/users/{target.pk}/edit/", fields).status_code == 302
        assert facts(target) == before
        assert User.objects.get(pk=target.pk).first_name == "Grace"


def test_a_new_person_gets_no_rights(signed_in, admin, elsewhere):
    fields = surplus(elsewhere, admin.tenant) | {"email": "new@acme.test"}
    signed_in(admin).post("/users/new/", fields)
    made = User.objects.get(email="new@acme.test")
    assert (made.tenant_id, made.is_active, made.source) == (admin.tenant_id, True, "local")
    assert not made.roles.exists()
    assert not made.has_usable_password()


def test_the_api_refuses_what_it_may_not_set(admin, person, elsewhere):
    _row, token = factories.token(admin)
    api = Client(headers={"authorization": f"Bearer {token}"})
    before, users = facts(person), User.objects.count()
    for name, value in surplus(elsewhere, admin.tenant).items():
        body = {"first_name": "Grace", name: value}
        answer = api.patch(f"/api/v1/users/{person.pk}/", body, content_type="application/json")
        assert answer.status_code == 400, name
        if name != "email":
            body["email"] = "new@acme.test"
            answer = api.post("/api/v1/users/", body, content_type="application/json")
            assert answer.status_code == 400, name
    assert (facts(person), User.objects.count()) == (before, users)


def test_an_administrator_cannot_become_owner(signed_in, admin, owner):
    client = signed_in(admin)
    confirm(client)
    role = Role.objects.get(tenant=admin.tenant, key="owner")
    assert client.post(f"/users/{admin.pk}/roles/", {"roles": [str(role.pk)]}).status_code == 403
    assert not admin.roles.filter(key="owner").exists()
    scopes = ["roles.assign", "devices.view"]
    fields = {"name": "thief", "days": "30", "scopes": scopes}
    assert client.post("/settings/tokens/new/", fields).status_code == 422
    assert not ApiToken.objects.exists()


def test_settings_take_their_own_fields_only(home, world, elsewhere):
    tenant = Tenant.objects.get(pk=world.tenant.pk)
    fields = {"name": "Acme", "language": "en", "time_zone": "UTC", "help_contact": ""}
    extra = {"slug": "globex", "hosts": '["evil.test"]', "enrolled_public_url": "https://evil.test"}
    home.post("/settings/organisation/", fields | extra | {"id": str(elsewhere.tenant.pk)})
    found = Tenant.objects.get(pk=tenant.pk)
    kept = (found.slug, found.hosts, found.enrolled_public_url)
    assert kept == (tenant.slug, tenant.hosts, tenant.enrolled_public_url)
    assert found.name == "Acme"
    assert Tenant.objects.get(pk=elsewhere.tenant.pk).name == elsewhere.tenant.name
    assert UserSettings.objects.filter(tenant=elsewhere.tenant).count() == 1


def test_nothing_of_this_made_anything_elsewhere(elsewhere):
    assert Device.objects.filter(tenant=elsewhere.tenant).count() == 1
    assert EnrollmentSession.objects.filter(tenant=elsewhere.tenant).count() == 1

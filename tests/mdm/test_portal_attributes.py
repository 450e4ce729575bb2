from __future__ import annotations

import pytest

from accounts.grouping import get
from accounts.models import AttributeDefinition
from accounts.services import attributes, groups
from tests.portal import path, text

pytestmark = pytest.mark.django_db
LIST = "/settings/attributes/"
TEAM = {"owner_kind": "user", "key": "team", "label": "Team", "kind": "text", "description": ""}


@pytest.fixture
def portal(signed_in, admin):
    return signed_in(admin)


@pytest.fixture
def define(tenant, admin):
    def make(key="team", kind="text", owner_kind="user"):
        return attributes.define(
            tenant=tenant,
            owner_kind=owner_kind,
            key=key,
            label=key.title(),
            kind=kind,
            actor=admin.actor,
        )

    return make


def test_an_attribute_is_defined_changed_and_deleted(portal):
    assert "No attribute is defined yet" in text(portal.get(LIST))
    assert portal.post(path("settings-attribute-new"), TEAM)["Location"] == LIST
    row = AttributeDefinition.objects.get()
    assert "Team" in text(portal.get(LIST))
    portal.post(path("settings-attribute-edit", row.pk), {"label": "Crew", "key": "other"})
    row.refresh_from_db()
    assert (row.label, row.key) == ("Crew", "team")
    assert "0 values are deleted" in text(portal.get(path("settings-attribute-delete", row.pk)))
    portal.post(path("settings-attribute-delete", row.pk))
    assert not AttributeDefinition.objects.exists()


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"key": "Team One"}, "lower-case letters"),
        ({"key": ""}, "Fill in “Key”."),
        ({"label": ""}, "Fill in “Name”."),
        ({"kind": "formula"}, "formula"),
        ({"key": "taken"}, "an attribute with this key already"),
    ],
)
def test_a_mistake_is_said_at_its_field(portal, define, change, word):
    define("taken")
    page = portal.post(path("settings-attribute-new"), TEAM | change)
    assert page.status_code == 422
    assert word in text(page)
    assert AttributeDefinition.objects.count() == 1


def test_one_that_a_rule_asks_for_is_not_deleted(portal, define, tenant, admin):
    row = define()
    rule = {"match": "all", "rules": [{"field": "attr.team", "operator": "not_blank"}]}
    groups.create(shape=get("user"), tenant=tenant, name="Teams", rule=rule, actor=admin.actor)
    address = path("settings-attribute-delete", row.pk)
    assert "Teams" in text(portal.get(address))
    page = portal.post(address)
    assert page.status_code == 422
    assert "used by: Teams" in text(page)


def test_values_are_set_on_a_person_and_a_device(portal, define, person, device):
    kinds = {"team": "text", "floor": "number", "remote": "boolean", "since": "date"}
    for key, kind in kinds.items():
        define(key, kind)
    define("place", "text", "device")
    values = {"team": "Sales", "floor": "1.5", "remote": "true", "since": "2026-01-31"}
    posted = {f"attr.{key}": value for key, value in values.items()}
    address = path("user-member-attributes", person.pk)
    assert portal.post(address, posted)["Location"] == path("user-detail", person.pk)
    page = text(portal.get(path("user-detail", person.pk)))
    for shown in ("Sales", "1.5", "yes", "Jan. 31, 2026"):
        assert f"<dd>{shown}</dd>" in page
    form = portal.get(address).context["form"]
    assert {name: field.initial for name, field in form.fields.items()} == posted
    portal.post(path("device-member-attributes", device.pk), {"attr.place": "<b>Lobby</b>"})
    page = text(portal.get(path("device-detail", device.pk)))
    assert "<dd>&lt;b&gt;Lobby&lt;/b&gt;</dd>" in page


def test_a_wrong_value_is_said_at_its_field_and_nothing_is_stored(portal, define, person):
    define("floor", "number")
    define("team")
    address = path("user-member-attributes", person.pk)
    page = portal.post(address, {"attr.floor": "high", "attr.team": "Sales"})
    assert page.status_code == 422
    assert "Give a number" in text(page)
    assert 'value="high"' in text(page)
    assert attributes.values_of(shape=get("user"), member=person) == {}


def test_without_definitions_the_page_says_where_they_are(portal, device):
    page = text(portal.get(path("device-member-attributes", device.pk)))
    assert "No attribute is defined yet" in page
    assert path("settings-attribute-new") in page


def test_help_desk_sees_values_and_cannot_change_them(signed_in, helpdesk, define, device):
    define("place", "text", "device")
    client = signed_in(helpdesk)
    page = text(client.get(path("device-detail", device.pk)))
    assert "Place" in page
    assert path("device-member-attributes", device.pk) not in page
    assert client.get(path("device-member-attributes", device.pk)).status_code == 403

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from accounts.errors import (
    AttributeInUse,
    AttributeKeyTaken,
    AttributeValueInvalid,
    ForeignObject,
    TooManyAttributes,
)
from accounts.grouping import get
from accounts.models import AttributeDefinition, UserAttributeValue
from accounts.services import attributes, groups
from core.models import HistoryEntry

pytestmark = pytest.mark.django_db
PEOPLE = get("user")


@pytest.fixture
def define(tenant, admin):
    def make(key="team", kind="text", owner_kind="user", **fields):
        return attributes.define(
            **{"tenant": tenant, "label": key.title(), "actor": admin.actor} | fields,
            key=key,
            kind=kind,
            owner_kind=owner_kind,
        )

    return make


@pytest.fixture
def give(admin, person):
    def put(**values):
        return attributes.set_values(shape=PEOPLE, member=person, values=values, actor=admin.actor)

    return put


def test_an_attribute_is_defined_once_per_kind_of_owner(define, tenant, stranger):
    define("team")
    define("team", owner_kind="device")
    define("team", tenant=stranger.tenant)
    with pytest.raises(AttributeKeyTaken):
        define("team")
    assert HistoryEntry.objects.filter(action="accounts.attribute.created").count() == 3


@pytest.mark.parametrize(
    "fields",
    [
        {"key": "Team"},
        {"key": "1team"},
        {"key": "te-am"},
        {"key": "te am"},
        {"key": "team\n"},
        {"key": "é"},
        {"key": "x" * 41},
        {"key": ""},
        {"key": "__class__"},
        {"kind": "formula"},
        {"label": "  "},
        {"label": "x" * 81},
        {"description": "x" * 301},
        {"owner_kind": "tenant"},
    ],
)
def test_an_impossible_definition_is_refused(define, fields):
    with pytest.raises(ValidationError):
        define(**fields)
    assert not AttributeDefinition.objects.exists()


def test_values_are_kept_by_type_and_told_in_the_history(define, give, person):
    for key, kind in (
        ("team", "text"),
        ("floor", "number"),
        ("remote", "boolean"),
        ("since", "date"),
    ):
        define(key, kind)
    give(team=" Sales ", floor="1,50", remote="true", since="2026-01-31")
    found = attributes.values_of(shape=PEOPLE, member=person)
    assert found == {
        "team": "Sales",
        "floor": Decimal("1.5"),
        "remote": True,
        "since": dt.date(2026, 1, 31),
    }
    give(floor=2, remote=False, team="")
    found = attributes.values_of(shape=PEOPLE, member=person)
    assert found == {"floor": Decimal("2"), "remote": False, "since": dt.date(2026, 1, 31)}
    told = HistoryEntry.objects.filter(action="accounts.user.attributes_changed").order_by("id")
    assert told[1].data == {
        "Floor": ["1.5", "2"],
        "Remote": [True, False],
        "Team": ["Sales", None],
    }


def test_what_is_the_same_is_no_change(define, give):
    define("floor", "number")
    assert give(floor="1.50") == {"Floor": [None, "1.5"]}
    assert give(floor=1.5) == {}
    assert HistoryEntry.objects.filter(action="accounts.user.attributes_changed").count() == 1


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("text", "x" * 501),
        ("text", "a\x00b"),
        ("text", 5),
        ("number", "five"),
        ("number", "1e9"),
        ("number", True),
        ("boolean", "maybe"),
        ("boolean", 1),
        ("date", "31.1.2026"),
        ("date", 20260131),
        ("text", {"a": 1}),
        ("text", ["a"]),
    ],
)
def test_a_value_of_another_type_is_refused(define, give, kind, value):
    define("field", kind)
    with pytest.raises(AttributeValueInvalid) as refused:
        give(field=value)
    assert refused.value.field == "attr.field"
    assert not UserAttributeValue.objects.exists()


def test_text_is_never_run(define, give, person):
    """S-11, S-12."""
    define("team")
    for text in ("${user.email}", "{{7*7}}", "{0.__class__}", "%(password)s", "$(id)"):
        give(team=text)
        assert attributes.values_of(shape=PEOPLE, member=person) == {"team": text}


def test_values_of_unknown_or_foreign_attributes_are_refused(define, give, stranger):
    define("theirs", tenant=stranger.tenant)
    define("place", owner_kind="device")
    for key in ("theirs", "place", "nothing"):
        with pytest.raises(ForeignObject):
            give(**{key: "x"})


def test_name_and_description_change_and_the_key_does_not(define, admin):
    row = attributes.edit(
        attribute=define("team"), label="Crew", key="other", kind="number", actor=admin.actor
    )
    row.refresh_from_db()
    assert (row.label, row.key, row.kind) == ("Crew", "team", "text")
    entry = HistoryEntry.objects.get(action="accounts.attribute.changed")
    assert entry.data == {"label": ["Team", "Crew"]}
    with pytest.raises(ValidationError):
        attributes.edit(attribute=row, label="", actor=admin.actor)


def test_an_attribute_that_a_rule_asks_for_stays(define, give, tenant, admin):
    row = define("team")
    give(team="Sales")
    rules = [{"field": "person.attr.team", "operator": "equals", "value": "Sales"}]
    rule = {"match": "all", "rules": [{"match": "any", "rules": rules}]}
    group = groups.create(
        shape=get("device"), tenant=tenant, name="Of sales", rule=rule, actor=admin.actor
    )
    with pytest.raises(AttributeInUse, match="Of sales"):
        attributes.delete(attribute=row, actor=admin.actor)
    groups.delete(group=group, actor=admin.actor)
    attributes.delete(attribute=row, actor=admin.actor)
    assert not AttributeDefinition.objects.exists()
    assert not UserAttributeValue.objects.exists()
    entry = HistoryEntry.objects.get(action="accounts.attribute.deleted")
    assert entry.data["values"] == 1


def test_there_are_not_too_many(define, monkeypatch):
    monkeypatch.setattr(attributes, "MAX_ATTRIBUTES", 1)
    define("one")
    with pytest.raises(TooManyAttributes):
        define("two")
    define("two", owner_kind="device")


def test_definitions_are_seen_by_those_who_need_them(define, admin, helpdesk, person, stranger):
    define("team")
    seen = [
        AttributeDefinition.objects.visible_to(one).count()
        for one in (admin, helpdesk, person, stranger)
    ]
    assert seen == [1, 1, 0, 0]

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.rules import described
from core.rules.errors import RuleInvalid
from core.rules.fields import OPERATORS, OPPOSITE, Field, Kind, Op
from core.rules.folding import fold, version_key
from core.rules.tree import MAX_CONDITIONS, MAX_DEPTH, Branch, dump, moves_by_itself, parse

GROUP = "018f0000-0000-7000-8000-000000000001"
CATALOGUE = {
    field.key: field
    for field in (
        Field("name", "Name", Kind.TEXT, None),
        Field("floor", "Floor", Kind.NUMBER, None),
        Field("os", "System", Kind.VERSION, None),
        Field("kiosk", "Kiosk", Kind.BOOLEAN, None),
        Field("bought", "Bought", Kind.DATE, None),
        Field("enrolled", "Enrolled", Kind.MOMENT, None),
        Field("contact", "Last contact", Kind.MOMENT, None, is_drifting=True),
        Field("platform", "Platform", Kind.CHOICE, None, choices=(("mac", "Mac"), ("", "None"))),
        Field("group", "Group", Kind.GROUP, None, choices=((GROUP, "Lobby"),)),
    )
}


def one(field, operator, *value):
    told = {"field": field, "operator": operator}
    return {"match": "all", "rules": [told | ({"value": value[0]} if value else {})]}


def read(data):
    return parse(data, CATALOGUE)


def errors(data):
    with pytest.raises(RuleInvalid) as refused:
        read(data)
    return refused.value.errors


@pytest.mark.parametrize(
    ("field", "operator", "given", "value"),
    [
        ("name", "contains", "  Lobby ", "Lobby"),
        ("name", "equals", "${7*7} {{7*7}} ' OR 1=1 --", "${7*7} {{7*7}} ' OR 1=1 --"),
        ("floor", "equals", 3, Decimal("3")),
        ("floor", "less", "1,50", Decimal("1.5")),
        ("floor", "greater", -0.5, Decimal("-0.5")),
        ("floor", "equals", "-0", Decimal("0")),
        ("os", "less", "18.1", "18.1"),
        ("kiosk", "equals", True, True),
        ("kiosk", "not_equals", "false", False),
        ("bought", "less", "2026-01-31", dt.date(2026, 1, 31)),
        ("enrolled", "equals", "2026-01-31", dt.date(2026, 1, 31)),
        ("contact", "older_days", "7", 7),
        ("platform", "equals", "", ""),
        ("group", "member", GROUP.upper(), GROUP),
    ],
)
def test_a_value_is_read_by_the_kind_of_its_field(field, operator, given, value):
    assert read(one(field, operator, given)).rules[0].values == (value,)


@pytest.mark.parametrize(
    ("field", "operator", "given", "word"),
    [
        ("name", "contains", "", "compare with"),
        ("name", "contains", "   ", "compare with"),
        ("name", "contains", 7, "text is needed"),
        ("name", "contains", ["x"], "text is needed"),
        ("name", "contains", "x" * 201, "at most 200"),
        ("name", "contains", "a\x00b", "control"),
        ("name", "contains", "a\nb", "control"),
        ("name", "contains", "a\ud800b", "control"),
        ("floor", "equals", "1e5", "number"),
        ("floor", "equals", "NaN", "number"),
        ("floor", "equals", 1e300, "number"),
        ("floor", "equals", True, "number"),
        ("floor", "equals", "123456789012", "number"),
        ("floor", "equals", "1.23456", "number"),
        ("floor", "equals", "9" * 5000, "number"),
        ("os", "less", "eighteen", "version"),
        ("os", "less", "18.1 beta", "version"),
        ("os", "less", "1.2.3.4.5.6.7", "version"),
        ("kiosk", "equals", "yes", "yes or no"),
        ("kiosk", "equals", 1, "yes or no"),
        ("bought", "equals", "31.01.2026", "year-month-day"),
        ("bought", "equals", "2026-02-30", "year-month-day"),
        ("bought", "equals", "0001-01-01", "year-month-day"),
        ("bought", "equals", "20260131", "year-month-day"),
        ("contact", "older_days", 0, "number of days"),
        ("contact", "older_days", True, "number of days"),
        ("contact", "older_days", "²", "number of days"),
        ("contact", "older_days", 99999, "number of days"),
        ("platform", "equals", "amiga", "values offered"),
        ("platform", "equals", {"x": 1}, "values offered"),
        ("group", "member", "018f0000-0000-7000-8000-000000000002", "values offered"),
        ("group", "member", "1 OR 1=1", "values offered"),
        ("floor", "between", [1], "lower and an upper"),
        ("floor", "between", "1", "lower and an upper"),
        ("floor", "between", [2, 1], "comes first"),
        ("os", "between", ["18.10", "18.9"], "comes first"),
        ("name", "blank", "x", "needs no value"),
    ],
)
def test_an_impossible_value_is_refused_at_its_place(field, operator, given, word):
    found = errors({"match": "any", "rules": [one(field, operator, given)]})
    assert list(found) == ["0.0"]
    assert word in found["0.0"]


@pytest.mark.parametrize(
    ("data", "path"),
    [
        (None, ""),
        ([], ""),
        ("name == 'x'", ""),
        ({}, ""),
        ({"match": "none", "rules": [one("name", "blank")]}, ""),
        ({"match": "all", "rules": {}}, ""),
        ({"match": "all", "rules": []}, ""),
        ({"match": "all", "rules": [], "_connector": "OR"}, ""),
        ({"match": "all", "rules": [{"match": "any", "rules": []}]}, "0"),
        ({"match": "all", "rules": ["name"]}, "0"),
        ({"match": "all", "rules": [{"field": "name"}]}, "0"),
        ({"match": "all", "rules": [{"field": "name", "operator": "regex", "value": "x"}]}, "0"),
        ({"match": "all", "rules": [{"field": "name", "operator": ["equals"]}]}, "0"),
        (
            {"match": "all", "rules": [{"field": "kiosk", "operator": "contains", "value": "x"}]},
            "0",
        ),
        (one("user__password", "equals", "x"), "0"),
        (one("name__icontains", "equals", "x"), "0"),
        (one("_connector", "equals", "x"), "0"),
        ({"match": "all", "rules": [{"field": {"a": 1}, "operator": "equals", "value": "x"}]}, "0"),
        ({"match": "all", "rules": [one("name", "blank")["rules"][0] | {"negated": True}]}, "0"),
    ],
)
def test_what_is_no_rule_is_refused(data, path):
    """S-14, S-16: only names of the allow-list get any further."""
    assert list(errors(data)) == [path]


def test_every_mistake_is_told_at_its_own_place():
    found = errors(
        {"match": "all", "rules": [*one("x", "blank")["rules"], one("floor", "less", "z")]}
    )
    assert list(found) == ["0", "1.0"]


def nested(depth):
    return one("name", "blank") if depth == 1 else {"match": "any", "rules": [nested(depth - 1)]}


def test_rules_are_neither_too_deep_nor_too_many():
    assert read(nested(MAX_DEPTH))
    assert "levels deep" in errors(nested(MAX_DEPTH + 1))[".".join("0000")]
    deep = one("name", "blank")
    for _ in range(900):
        deep = {"match": "all", "rules": [deep]}
    assert len(errors(deep)) == 1
    many = {"match": "any", "rules": one("name", "blank")["rules"] * MAX_CONDITIONS}
    assert len(list(read(many).conditions())) == MAX_CONDITIONS
    two = {"match": "all", "rules": [many, one("name", "blank")]}
    assert f"at most {MAX_CONDITIONS} conditions" in errors(two)["1.0"]
    assert len(errors({"match": "all", "rules": one("name", "blank")["rules"] * 100_000})) == 1
    wide = {"match": "all", "rules": [{"match": "all", "rules": [nested(1)] * 50}] * 50}
    assert "nested parts" in " ".join(errors(wide).values())


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["match", "rules", "field", "operator", "value", "x"]),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@given(json_values)
def test_no_json_at_all_makes_it_stumble(data):
    try:
        rule = read(data)
    except RuleInvalid as refused:
        assert refused.errors
    else:
        assert isinstance(rule, Branch)


@given(st.text(alphabet=st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=200))
def test_what_is_written_is_read_again(text):
    try:
        rule = read(one("name", "not_contains", text))
    except RuleInvalid:
        return
    stored = json.loads(json.dumps(dump(rule)))
    assert read(stored) == rule
    assert dump(read(stored)) == stored


def test_ranges_numbers_and_days_survive_storing():
    data = {
        "match": "any",
        "rules": [
            {"field": "floor", "operator": "between", "value": ["1.5", "2"]},
            {"field": "kiosk", "operator": "equals", "value": True},
            {"field": "contact", "operator": "within_days", "value": 7},
            {"match": "all", "rules": [{"field": "bought", "operator": "not_blank"}]},
        ],
    }
    assert dump(read(data)) == data


def test_only_time_and_contact_move_by_themselves():
    assert moves_by_itself(read(one("contact", "less", "2026-01-01")), CATALOGUE)
    assert moves_by_itself(
        read({"match": "any", "rules": [one("bought", "within_days", 3)]}), CATALOGUE
    )
    assert not moves_by_itself(read(one("bought", "less", "2026-01-01")), CATALOGUE)


def test_every_negative_operator_is_offered_beside_its_positive_one():
    for operators in OPERATORS.values():
        assert all(OPPOSITE[one] in operators for one in operators if one in OPPOSITE)


def test_a_rule_is_told_in_words():
    data = {
        "match": "all",
        "rules": [
            {"field": "name", "operator": "contains", "value": "Lobby"},
            {
                "match": "any",
                "rules": [
                    {"field": "floor", "operator": "between", "value": ["1", "2.5"]},
                    {"field": "group", "operator": "member", "value": GROUP},
                    {"field": "contact", "operator": "older_days", "value": 7},
                    {"field": "kiosk", "operator": "equals", "value": True},
                    {"field": "bought", "operator": "blank"},
                ],
            },
        ],
    }
    line = described.line(read(data), CATALOGUE)
    assert line == (
        "Name contains “Lobby” and (Floor is between “1” and “2.5” or Group is “Lobby” or "
        "Last contact is more than 7 days ago or Kiosk is “yes” or Bought is empty)"
    )
    shown = described.nested(read(data), CATALOGUE)
    assert shown["is_all"]
    assert shown["rules"][1]["rules"][4] == {"text": "Bought is empty"}


@pytest.mark.parametrize(
    ("one", "other"),
    [("Éclair", "eclair"), ("MÜLLER", "muller"), ("ŠKODA", "skoda"), ("A b", "a B")],
)
def test_case_and_accents_of_latin_letters_do_not_count(one, other):
    assert fold(one) == fold(other)


@pytest.mark.parametrize(("one", "other"), [("ß", "ss"), ("œ", "oe"), ("Ж", "ж"), ("a b", "ab")])
def test_everything_else_counts(one, other):
    assert fold(one) != fold(other)


def test_versions_are_compared_by_their_numbers():
    keys = [version_key(text) for text in ("9.3.5", "17", "18.0.1", "18.2", "18.10", "18.10.1")]
    assert keys == sorted(keys)
    assert (
        version_key("18") == version_key("18.0") == version_key("18.0.0") != version_key("18.0.1")
    )
    assert version_key("18.1 (22B83)") == version_key("18.1")
    assert version_key("beta 2") is version_key("") is None


def test_operators_have_words():
    from core.rules import words

    assert set(words.OPERATORS) == set(Op)
    assert words.operator(Op.LESS, Kind.MOMENT) == "is before"

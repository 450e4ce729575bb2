from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.variables import MAX_TEXT, MAX_VARIABLES, Mistake, Piece, names, parse, resolve

KNOWN = {"device.serial": "device.serial", "deviceSN": "device.serial", "user.email": "user.email"}
VALUES = {"device.serial": "C02", "user.email": "pia@acme.test"}


def become(text, values=VALUES):
    return resolve(parse(text, KNOWN.get), values)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("plain", "plain"),
        ("${device.serial}", "C02"),
        ("{$device.serial}", "C02"),
        ("${deviceSN}", "C02"),
        ("Mac-${device.serial} of {$user.email}!", "Mac-C02 of pia@acme.test!"),
        ("${device.serial}${device.serial}", "C02C02"),
        ("$${device.serial}", "${device.serial}"),
        ("{$$device.serial}", "{$device.serial}"),
        ("$$ $5 {} {{7*7}} #{7*7} %n <%= 7 %>", "$$ $5 {} {{7*7}} #{7*7} %n <%= 7 %>"),
        ("{0.__class__} %(password)s", "{0.__class__} %(password)s"),
    ],
)
def test_both_ways_to_write_a_variable_are_understood(text, expected):
    """S-11, S-12: what is no variable is text."""
    assert become(text).text == expected


@pytest.mark.parametrize(
    ("text", "code", "position", "name"),
    [
        ("ab ${nothing}", "unknown", 4, "nothing"),
        ("{$device.Serial}", "unknown", 1, "device.Serial"),
        ("${device.serial.__class__}", "unknown", 1, "device.serial.__class__"),
        ("${7*7}", "broken", 1, ""),
        ("x${", "broken", 2, ""),
        ("${device.serial", "broken", 1, ""),
        ("{$device.serial", "broken", 1, ""),
        ("${ device.serial }", "broken", 1, ""),
        ("${${device.serial}}", "broken", 1, ""),
        ("${a\nb}", "broken", 1, ""),
        ("${" + "x" * 101 + "}", "broken", 1, ""),
        ("x" * (MAX_TEXT + 1), "long", 1, ""),
    ],
)
def test_a_mistake_is_told_with_its_position(text, code, position, name):
    with pytest.raises(Mistake) as found:
        parse(text, KNOWN.get)
    told = found.value
    assert (told.code, told.position, told.name) == (code, position, name)


def test_there_are_not_too_many():
    assert len(parse("${deviceSN}" * MAX_VARIABLES, KNOWN.get)) == MAX_VARIABLES
    with pytest.raises(Mistake, match="many"):
        parse("${deviceSN}" * (MAX_VARIABLES + 1), KNOWN.get)


def test_a_missing_value_is_empty_and_flagged_once():
    found = become("<${user.email}><${user.email}>-${device.serial}", {"device.serial": "C02"})
    assert (found.text, found.missing) == ("<><>-C02", ("user.email",))


def test_a_value_is_never_read_again():
    found = become("${device.serial}", VALUES | {"device.serial": "${user.email}{$user.email}"})
    assert found.text == "${user.email}{$user.email}"


@given(st.text(alphabet="${}ab.$ \n", max_size=40), st.text(max_size=20))
def test_any_text_is_pieces_or_a_mistake(text, value):
    known = {"a": "a", "b": "b"}
    try:
        pieces = parse(text, known.get)
    except Mistake as mistake:
        assert text[mistake.position - 1 : mistake.position + 1] in ("${", "{$")
        return
    assert resolve(pieces, {"a": value, "b": ""}).text.count(value) >= sum(
        piece == Piece(name="a") for piece in pieces
    )
    assert set(names(pieces)) <= {"a", "b"}


@given(st.text(alphabet=st.characters(exclude_characters="$"), max_size=50))
def test_text_without_a_dollar_stays_as_it_is(text):
    assert become(text).text == text

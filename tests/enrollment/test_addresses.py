"""S-19: addresses as people type them, and what never gets to a mail server."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from enrollment import addresses


def test_reads_lists_however_they_are_separated():
    text = "a@example.org, b@example.org;c@example.org\nd@example.org  e@example.org\r\n"
    assert addresses.split(text) == [f"{name}@example.org" for name in "abcde"]


def test_reads_addresses_with_names():
    assert addresses.split("Ada Lovelace <ada@example.org>\n'Bob' <bob@example.org>") == [
        "ada@example.org",
        "bob@example.org",
    ]


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        (" Ada@Example.ORG ", "ada@example.org"),
        ("ada@bücher.example", "ada@xn--bcher-kva.example"),
        ("first.last+tag@sub.example.org", "first.last+tag@sub.example.org"),
    ],
)
def test_stores_one_form_of_each(typed, stored):
    assert addresses.normalise(typed) == stored


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "ada",
        "@example.org",
        "ada@",
        "ada@example",
        "ada@@example.org",
        "ada@example.org\r\nBcc: eve@example.org",
        "ada@example.org\nBcc: eve@example.org",
        "ada\x00@example.org",
        "ada lovelace@example.org",
        "adä@example.org",
        "ada@exam ple.org",
        "ada@" + "a" * 70 + ".example",
        "a" * 65 + "@example.org",
        "a" * 60 + "@" + "b" * 60 + "." + "c" * 60 + "." + "d" * 60 + "." + "e" * 20 + ".org",
        "ada@-bücher-.example\u2028x",
    ],
)
def test_refuses_what_no_mail_server_should_see(typed):
    with pytest.raises(ValidationError):
        addresses.normalise(typed)


@given(st.text(max_size=300))
def test_whatever_is_typed_is_refused_or_safe_for_a_header(text):
    try:
        stored = addresses.normalise(text)
    except ValidationError:
        return
    assert stored.isascii()
    assert not set(stored) & set("\r\n\t <>,;\x00")
    assert len(stored) <= 320
    assert addresses.normalise(stored) == stored


@given(st.text(max_size=300))
def test_looking_somebody_up_never_fails(text):
    assert isinstance(addresses.comparable(text), str)

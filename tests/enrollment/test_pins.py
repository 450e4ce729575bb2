"""S-49, S-51, S-53, S-54, U-39, U-40: five tries, one use, nothing kept that could be read."""

from __future__ import annotations

import datetime as dt
import threading
from collections import Counter

import pytest
import time_machine
from django.db import connection, connections
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import UserSettings
from accounts.services import users
from core import clock
from core.models import HistoryEntry, OneTimeSecret, OutboxMessage
from enrollment.errors import (
    PinExpired,
    PinMissing,
    PinNotDigits,
    PinRefused,
    PinTooLong,
    PinTooShort,
    PinUsed,
    PinVoid,
    PinWrong,
)
from enrollment.services import pins
from tests.enrollment.conftest import ADMIN

pytestmark = pytest.mark.django_db


def wrong(digits: str) -> str:
    return digits[:-1] + str((int(digits[-1]) + 1) % 10)


def issue(user) -> str:
    return pins.issue(user=user, actor=ADMIN).digits


def verify(user, typed) -> None:
    pins.verify(user=user, typed=typed, actor=user.person_actor)


def refusals(user, typed, count) -> list[PinRefused]:
    found = []
    for _number in range(count):
        with pytest.raises(PinRefused) as caught:
            verify(user, typed)
        found.append(caught.value)
    return found


def test_a_pin_opens_once(person):
    digits = issue(person)
    assert len(digits) == 8
    verify(person, digits)
    with pytest.raises(PinUsed):
        verify(person, digits)


@pytest.mark.parametrize("shape", ["{0} {1}", " {0}-{1} ", "{0}\u00a0{1}", "{0}–{1}\t", "{0}.{1}"])
def test_spaces_and_dashes_do_not_matter(person, shape):
    digits = issue(person)
    verify(person, shape.format(digits[:4], digits[4:]))


def test_full_width_digits_are_digits(person):
    verify(person, "".join(chr(0xFF10 + int(digit)) for digit in issue(person)))


def test_says_what_is_wrong_with_the_form_and_counts_no_try(person):
    digits = issue(person)
    for typed, error in (
        (digits[:-1], PinTooShort),
        (digits + "0", PinTooLong),
        ("12ab5678", PinNotDigits),
        ("", PinNotDigits),
        ("²²²²²²²²x", PinNotDigits),
        ("٣٣٣٣٣٣٣٣", PinNotDigits),
    ):
        with pytest.raises(error):
            verify(person, typed)
    assert pins.info(person).tries_left == 5
    verify(person, digits)


def test_five_wrong_tries_void_it(person):
    digits = issue(person)
    found = refusals(person, wrong(digits), 5)
    assert [type(one) for one in found] == [PinWrong] * 4 + [PinVoid]
    with pytest.raises(PinVoid):
        verify(person, digits)


def test_remaining_tries_are_told_from_the_third_failure(person):
    found = refusals(person, wrong(issue(person)), 4)
    told = ["left" in one.message for one in found]
    assert told == [False, False, True, True]
    assert "2 tries left" in found[2].message
    assert "1 try left" in found[3].message


def test_two_pins_live_with_one_counter_and_end_together(person):
    first = issue(person)
    refusals(person, wrong(first), 2)
    second = issue(person)
    assert pins.info(person).tries_left == 3
    found = refusals(person, "00000000" if "00000000" not in (first, second) else "11111111", 3)
    assert isinstance(found[-1], PinVoid)
    for digits in (first, second):
        with pytest.raises(PinVoid):
            verify(person, digits)


def test_the_earlier_pin_of_two_works_and_ends_the_later_one(person):
    first, second = issue(person), issue(person)
    verify(person, first)
    with pytest.raises(PinUsed):
        verify(person, second)


def test_a_third_pin_ends_the_first(person):
    first, _second, third = issue(person), issue(person), issue(person)
    with pytest.raises(PinWrong):
        verify(person, first)
    verify(person, third)


def test_a_pin_that_was_void_does_not_burden_the_next_one(person):
    refusals(person, wrong(issue(person)), 5)
    digits = issue(person)
    assert pins.info(person).tries_left == 5
    verify(person, digits)


def test_a_pin_expires_after_the_days_of_the_policy(person):
    UserSettings.objects.update(pin_days=2)
    digits = issue(person)
    with time_machine.travel(clock.now() + dt.timedelta(days=2, seconds=1)):
        with pytest.raises(PinExpired):
            verify(person, digits)
        assert pins.info(person).state == "expired"


def test_the_policy_sets_the_length(person):
    UserSettings.objects.update(pin_length=12)
    assert len(issue(person)) == 12


def test_somebody_without_a_pin_is_told_to_ask_for_one(person):
    with pytest.raises(PinMissing):
        verify(person, "12345678")
    assert pins.info(person) is None


def test_a_pin_of_somebody_else_opens_nothing(person, helpdesk):
    digits = issue(helpdesk)
    with pytest.raises(PinMissing):
        verify(person, digits)


def test_a_pin_dies_with_a_change_of_password_or_address_and_with_the_account(person):
    for end in (
        lambda: users.set_password(user=person, password="long enough words", actor=ADMIN),
        lambda: type(person).objects.filter(pk=person.pk).update(email="other@acme.test"),
        lambda: users.set_enabled(user=person, enabled=False, actor=ADMIN),
    ):
        digits = issue(person)
        end()
        person.refresh_from_db()
        with pytest.raises(PinRefused):
            verify(person, digits)


def test_pins_are_random_and_uniform():
    """100,000 PINs: chi-square of the digits below its 0.1 % bound, repeats as chance has them."""
    drawn = [pins.random_digits(8) for _number in range(100_000)]
    for place in range(8):
        counts = Counter(pin[place] for pin in drawn)
        chi = sum((counts[str(d)] - 10_000) ** 2 / 10_000 for d in range(10))
        assert chi < 33, (place, counts)
    # Some 50 pairs are expected among 1e5 of 1e8; 120 would be ten standard deviations off.
    assert len(drawn) - len(set(drawn)) < 120


def test_a_known_pin_is_nowhere_in_the_database(person, mails, invited):
    _invitation, letter = invited(person.email)
    assert letter.pin
    for model in (OneTimeSecret, HistoryEntry, OutboxMessage):
        for row in model.objects.all().values():
            assert letter.pin not in str(row)
            assert letter.pin.encode() not in b"".join(
                bytes(v) for v in row.values() if isinstance(v, bytes | memoryview)
            )
    row = OneTimeSecret.objects.get(purpose="pin")
    assert row.hash.startswith("scrypt$")


def test_the_work_is_slow_and_salted(monkeypatch):
    monkeypatch.undo()
    assert pins.PinHasher.work_factor * pins.PinHasher.block_size * 128 == 16 * 2**20
    hashes = {pins._hash("12345678") for _number in range(2)}
    assert len(hashes) == 2
    assert all(len(one) <= OneTimeSecret._meta.get_field("hash").max_length for one in hashes)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_right", [True, False])
def test_fifty_at_once_have_one_success_and_five_tries(person, is_right, quick_pins):
    """S-51: 50 simultaneous submissions."""
    digits = issue(person)
    typed = digits if is_right else wrong(digits)
    results, start = [], threading.Barrier(50)

    def submit() -> None:
        start.wait()
        try:
            results.append(pins.match(pins.Holder.of(person), typed))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=submit) for _number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 50
    assert results.count(True) == (1 if is_right else 0)
    row = OneTimeSecret.objects.get(purpose="pin")
    assert row.attempts <= 5
    assert (row.used_at is not None) == is_right
    assert (row.voided_at is not None) == (not is_right)


def test_whoever_is_asked_about_costs_the_same(person, monkeypatch):
    """S-65: the same queries and the same hashes for somebody unknown."""
    digits, hashed = issue(person), []
    verify_one = pins.PinHasher.verify
    monkeypatch.setattr(pins.PinHasher, "verify", lambda *a: hashed.append(1) or verify_one(*a))

    def cost(holder) -> tuple[list[str], int]:
        hashed.clear()
        seen = []
        with connection.execute_wrapper(
            lambda run, sql, *rest: seen.append(sql) or run(sql, *rest)
        ):
            assert not pins.match(holder, wrong(digits))
        return seen, len(hashed)

    known = cost(pins.Holder.of(person))
    assert known == cost(pins.Holder.of(None, "nobody@acme.test"))
    assert known[1] == 2


@given(st.text(max_size=200))
def test_whatever_is_typed_is_digits_or_refused(text):
    try:
        digits = pins.clean(text)
    except PinNotDigits:
        assert not pins.looks_like_one(text)
        return
    assert digits.isascii()
    assert digits.isdigit()

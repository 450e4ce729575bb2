"""The rule that asks for a second administrator, against every mix of numbers."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from devices.wipe_rules import why_hold

counts = st.integers(0, 300)
fleets = st.integers(0, 5000)


@given(recent=counts, wanted=st.integers(1, 300), fleet=fleets, is_cooling=st.booleans())
def test_it_holds_exactly_what_the_decision_names(recent, wanted, fleet, is_cooling):
    together = recent + wanted
    is_many = together > 10
    is_share = together >= 3 and together / fleet > 0.02 if fleet else together >= 3
    held = why_hold(recent=recent, wanted=wanted, fleet=fleet, is_cooling=is_cooling)
    assert bool(held) == (is_many or is_share or is_cooling)


@given(recent=counts, wanted=st.integers(1, 100), more=st.integers(0, 100), fleet=fleets)
def test_more_wipes_are_never_easier(recent, wanted, more, fleet):
    if why_hold(recent=recent, wanted=wanted, fleet=fleet):
        assert why_hold(recent=recent, wanted=wanted + more, fleet=fleet)
        assert why_hold(recent=recent + more, wanted=wanted, fleet=fleet)


@given(wanted=st.integers(1, 40), fleet=fleets, cut=st.integers(1, 39))
def test_cutting_an_order_into_two_changes_nothing(wanted, fleet, cut):
    if cut < wanted and why_hold(recent=0, wanted=wanted, fleet=fleet):
        assert why_hold(recent=cut, wanted=wanted - cut, fleet=fleet)


def test_the_edges():
    assert why_hold(recent=0, wanted=10, fleet=10_000) == ""
    assert why_hold(recent=0, wanted=11, fleet=10_000) == "many"
    assert why_hold(recent=10, wanted=1, fleet=10_000) == "many"
    assert why_hold(recent=0, wanted=2, fleet=2) == ""
    assert why_hold(recent=2, wanted=1, fleet=150) == ""
    assert why_hold(recent=2, wanted=1, fleet=149) == "share"
    assert why_hold(recent=0, wanted=1, fleet=500, is_cooling=True) == "cool_down"

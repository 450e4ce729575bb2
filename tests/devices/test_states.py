from __future__ import annotations

import itertools

import pytest

from devices.errors import WrongState
from devices.states import (
    COMMAND_TRANSITIONS,
    DELETABLE,
    MANAGED,
    OPEN_COMMANDS,
    TRANSITIONS,
    CommandStatus,
    DeviceState,
    check_transition,
)


@pytest.mark.parametrize(
    ("source", "target"), list(itertools.product(DeviceState.values, repeat=2))
)
def test_every_pair_of_states_is_decided(source, target):
    if target in TRANSITIONS[source]:
        check_transition(source, target)
    else:
        with pytest.raises(WrongState):
            check_transition(source, target)


def test_an_ended_entry_never_comes_back():
    for state in set(DeviceState.values) - MANAGED - {DeviceState.ABANDONED}:
        assert not TRANSITIONS[state]


def test_an_enrollment_that_was_given_up_may_still_be_finished():
    assert TRANSITIONS[DeviceState.ABANDONED] == {DeviceState.ACTIVE}


def test_requested_is_never_done_without_being_sent_or_answered():
    assert DeviceState.WIPED not in TRANSITIONS[DeviceState.ACTIVE]


def test_every_order_can_be_cancelled_while_pending():
    for state in (DeviceState.RETIRE_PENDING, DeviceState.WIPE_PENDING):
        assert DeviceState.ACTIVE in TRANSITIONS[state]


def test_an_active_device_cannot_be_deleted():
    assert DeviceState.ACTIVE not in DELETABLE
    assert DeviceState.RETIRE_PENDING in DELETABLE


def test_a_finished_command_never_changes():
    for status in set(CommandStatus.values) - OPEN_COMMANDS:
        assert not COMMAND_TRANSITIONS[status]

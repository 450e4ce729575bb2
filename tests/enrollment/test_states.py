"""The whole matrix of moves of an invitation."""

from __future__ import annotations

import pytest

from enrollment.errors import WrongInvitationState
from enrollment.models import InvitationStatus as I
from enrollment.models import SessionStage
from enrollment.states import (
    OPEN_INVITATIONS,
    TRANSITIONS,
    USABLE_INVITATIONS,
    check_transition,
    has_reached,
)

ALLOWED = {
    I.PENDING: "opened in_progress completed expired revoked bounced",
    I.OPENED: "in_progress completed expired revoked",
    I.IN_PROGRESS: "completed expired revoked",
    I.BOUNCED: "pending opened in_progress completed expired revoked",
    I.COMPLETED: "revoked",
    I.EXPIRED: "completed",
    I.REVOKED: "",
}


@pytest.mark.parametrize("source", I.values)
@pytest.mark.parametrize("target", I.values)
def test_every_move_of_an_invitation(source, target):
    if target in ALLOWED[source].split():
        check_transition(source, target)
    else:
        with pytest.raises(WrongInvitationState):
            check_transition(source, target)


def test_nothing_that_ended_becomes_open_again():
    ended = set(I.values) - OPEN_INVITATIONS
    assert not any(TRANSITIONS[status] & OPEN_INVITATIONS for status in ended)
    assert {I.COMPLETED} == USABLE_INVITATIONS - OPEN_INVITATIONS


@pytest.mark.parametrize(("index", "stage"), list(enumerate(SessionStage.values)))
def test_a_stage_has_reached_itself_and_those_before(index, stage):
    assert [has_reached(stage, other) for other in SessionStage.values] == [
        place <= index for place in range(len(SessionStage.values))
    ]

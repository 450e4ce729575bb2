"""The funnel: monotone, with its history, stopped and ended for reasons that have words."""

from __future__ import annotations

import pytest

from core.models import HistoryEntry
from devices.services import identities
from enrollment.errors import SessionEnded
from enrollment.models import (
    EnrollmentSession,
    Invitation,
    InvitationStatus,
    SessionOutcome,
    SessionStage,
    StoppedReason,
)
from enrollment.services import journey, sessions
from enrollment.states import RETRYABLE
from tests import factories
from tests.enrollment.conftest import ADMIN

pytestmark = pytest.mark.django_db
STAGES = SessionStage.values


@pytest.fixture
def session(confirmed):
    return confirmed()[1]


def record(session, stage, **options):
    return sessions.record(session, stage, actor=ADMIN, **options)


def test_skipped_steps_get_a_time_so_that_the_funnel_never_grows(session):
    row = record(session, SessionStage.IDENTITY_ISSUED)
    reached = [getattr(row, f"{stage}_at") is not None for stage in STAGES]
    assert reached == [True] * 5 + [False] * 2


def test_late_news_changes_nothing(session):
    record(session, SessionStage.CHECKED_IN)
    before = EnrollmentSession.objects.values().get()
    entries = HistoryEntry.objects.count()
    for stage in STAGES[:6]:
        record(session, stage)
    assert EnrollmentSession.objects.values().get() == before
    assert HistoryEntry.objects.count() == entries


def test_becoming_active_ends_the_attempt_and_completes_the_invitation(session):
    device = factories.device(session.tenant, session.user)
    row = record(session, SessionStage.ACTIVE, device=device)
    assert (row.outcome, row.device, row.remind_at) == (SessionOutcome.ACTIVE, device, None)
    invitation = Invitation.objects.get()
    assert invitation.status == InvitationStatus.COMPLETED
    assert invitation.completed_at is not None


def test_news_about_an_ended_attempt_is_refused(session):
    sessions.end(session, SessionOutcome.CANCELLED, StoppedReason.REVOKED, actor=ADMIN)
    with pytest.raises(SessionEnded):
        record(session, SessionStage.CHECKED_IN)
    sessions.refuse(session, StoppedReason.CHALLENGE_EXPIRED, actor=ADMIN)
    session.refresh_from_db()
    assert session.stopped_reason == StoppedReason.REVOKED


@pytest.mark.parametrize("reason", StoppedReason.values)
def test_after_some_refusals_the_attempt_goes_on_after_others_it_ends(session, reason):
    row = sessions.refuse(session, reason, actor=ADMIN)
    assert row.stopped_reason == reason
    assert row.is_open == (reason in RETRYABLE)
    assert journey.status_of(row, None).state == "refused"
    assert journey.why_stopped(row)
    history = HistoryEntry.objects.about(row).latest("id")
    assert (history.action, history.data["reason"]) == ("enrollment.session.refused", reason)
    if row.is_open:
        assert record(session, SessionStage.CHECKED_IN).stopped_reason == ""


def test_ending_revokes_certificates_that_no_device_used(session, monkeypatch):
    revoked = []
    monkeypatch.setattr(identities, "revoke_unused", lambda **options: revoked.append(options))
    sessions.end(session, SessionOutcome.EXPIRED, StoppedReason.TIMED_OUT, actor=ADMIN)
    assert [one["session_id"] for one in revoked] == [session.pk]
    sessions.end(session, SessionOutcome.EXPIRED, StoppedReason.TIMED_OUT, actor=ADMIN)
    assert len(revoked) == 1


def test_an_invitation_that_ran_out_meanwhile_is_completed_all_the_same(session):
    Invitation.objects.update(status=InvitationStatus.EXPIRED)
    record(session, SessionStage.ACTIVE)
    assert Invitation.objects.get().status == InvitationStatus.COMPLETED


def test_a_newer_certificate_of_the_same_attempt_names_the_newer_entry(session):
    first, second = (factories.device(session.tenant, session.user) for _number in range(2))
    record(session, SessionStage.CHECKED_IN, device=first)
    assert record(session, SessionStage.CHECKED_IN, device=second).device == second


def test_other_tenants_do_not_see_it(session, stranger, admin):
    assert list(EnrollmentSession.objects.visible_to(admin)) == [session]
    assert list(EnrollmentSession.objects.visible_to(stranger)) == []

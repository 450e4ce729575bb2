from __future__ import annotations

import pytest

from accounts.models import UserSettings
from core import clock, outbox
from core.models import OutboxMessage
from core.services import delivery, mail
from enrollment.models import InvitationStatus, Notice, NoticeKind, NoticeStatus, SessionStage
from enrollment.services import letters, sessions
from tests import factories
from tests.enrollment.conftest import ADMIN, queued
from tests.portal import path, text

pytestmark = pytest.mark.django_db


@pytest.fixture
def active(confirmed, tenant):
    """Let an attempt end with an active device."""

    def become(**fields):
        _page, session = confirmed()
        device = factories.device(tenant, session.user, name="Pia's <b>iPhone</b>", **fields)
        return sessions.record(session, SessionStage.ACTIVE, actor=ADMIN, device=device)

    return become


def test_the_person_is_told_when_the_device_is_registered(active, mails):
    session = active()
    letter = mails()[-1]
    assert letter.to == session.user.email
    assert "is registered with Acme Aerospace" in letter.subject
    assert "Pia's <b>iPhone</b>" in letter.text
    assert "Pia&#x27;s &lt;b&gt;iPhone&lt;/b&gt;" in letter.html
    assert session.device.serial in letter.text
    assert "If that was not you" in letter.text
    assert "/go/" not in letter.text
    assert "PIN" not in letter.text


def test_it_comes_once_however_often_the_device_says_so(active, mails):
    session = active()
    sessions.record(session, SessionStage.ACTIVE, actor=ADMIN, device=session.device)
    told = [letter for letter in mails() if "is registered with" in letter.subject]
    assert len(told) == 1


def test_nobody_is_told_where_policy_says_so(active, mails, tenant):
    UserSettings.objects.filter(tenant=tenant).update(confirm_registration=False)
    active()
    assert not [letter for letter in mails() if "is registered with" in letter.subject]


def test_somebody_who_was_disabled_in_the_meantime_gets_none(active, mails):
    session = active()
    type(session.user).objects.update(is_active=False)
    assert not [letter for letter in mails() if "is registered with" in letter.subject]


def test_a_confirmation_that_bounces_does_not_change_the_invitation(active, mails, monkeypatch):
    session = active()
    mails()
    message = queued().filter(key=f"confirmation:{session.pk}").get()
    assert message.about_type == session._meta.label_lower
    session.invitation.refresh_from_db()
    assert session.invitation.status == InvitationStatus.COMPLETED


def test_the_ledger_of_invitation_and_device_tells_of_it(active, mails, signed_in, admin):
    session = active()
    mails()
    notice = Notice.objects.get(kind=NoticeKind.CONFIRMATION)
    assert (notice.status, notice.recipient) == (NoticeStatus.SENT, session.user.email)
    assert (notice.session, notice.invitation) == (session, session.invitation)
    type(session.device).objects.update(session_id=session.pk)
    client = signed_in(admin)
    for where in (
        path("invitations:invitation-detail", session.invitation_id),
        path("device-detail", session.device_id),
    ):
        page = text(client.get(where))
        assert "Confirmation of the registration" in page
        assert session.user.email in page


def test_where_policy_wants_none_the_ledger_tells_of_none(active, mails, tenant):
    UserSettings.objects.filter(tenant=tenant).update(confirm_registration=False)
    active()
    mails()
    assert not Notice.objects.exists()


def test_what_stops_reminders_does_not_stop_the_confirmation(active):
    session = active()
    delivery.deliver(OutboxMessage.objects.get(kind=letters.KIND, about_id=str(session.pk)).pk)
    sessions.stop_reminders(session.user)
    notice = Notice.objects.get(kind=NoticeKind.CONFIRMATION)
    assert (notice.status, notice.message.status) == (NoticeStatus.QUEUED, "pending")


def test_a_confirmation_that_comes_back_is_in_the_ledger_with_its_reason(active, monkeypatch):
    def refuse(message, body):
        raise outbox.Undeliverable("550 no such user")

    session = active()
    monkeypatch.setitem(outbox._handlers, mail.KIND, refuse)
    OutboxMessage.objects.update(due_at=clock.now())
    while delivery.sweep():
        pass
    notice = Notice.objects.get(session=session, kind=NoticeKind.CONFIRMATION)
    assert (notice.status, notice.result) == (NoticeStatus.FAILED, "550 no such user")
    session.invitation.refresh_from_db()
    assert session.invitation.status == InvitationStatus.COMPLETED

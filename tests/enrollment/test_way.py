"""The whole way of a person: link, PIN, password, profile, device."""

from __future__ import annotations

import pytest

from enrollment.models import EnrollmentSession, InvitationStatus, SessionOutcome, SessionStage
from enrollment.services import challenges, sessions
from tests import factories
from tests.enrollment.conftest import ADMIN, PASSWORD

pytestmark = pytest.mark.django_db


def test_an_invited_person_gets_from_the_mail_to_an_active_device(tenant, invited, pages, platform):
    invitation, letter = invited()
    page = pages().open(letter.link)
    assert page.step == "start"
    assert page.send("start").step == "pin"
    assert page.send("pin", pin=letter.pin).step == "password"
    assert page.send("password", password1=PASSWORD, password2=PASSWORD).step == "profile"
    page.send("profile")
    assert page.state()["state"] == "waiting"
    first = page.client.get(page.download)
    assert first["Content-Type"] == "application/x-apple-aspen-config"
    assert first.content == page.client.get(page.download).content
    assert page.state()["state"] == "downloaded"

    challenge = challenges.look_up(tenant=tenant, token=platform.challenges[-1])
    session = challenges.redeem(challenge, actor=ADMIN)
    assert page.state()["state"] == "identity_issued"
    device = factories.device(tenant, session.user, name="Pia's iPhone")
    sessions.record(session, SessionStage.CHECKED_IN, actor=ADMIN, device=device)
    assert page.state() == {
        "state": "checked_in",
        "device": "Pia's iPhone",
        "message": "Almost done: your device is connecting.",
    }
    sessions.record(session, SessionStage.ACTIVE, actor=ADMIN, device=device)
    assert page.state()["state"] == "active"
    assert "Pia&#x27;s iPhone" in page.open(letter.link).html
    assert page.step == "start"

    invitation.refresh_from_db()
    session = EnrollmentSession.objects.get()
    assert invitation.status == InvitationStatus.COMPLETED
    assert (session.outcome, session.device) == (SessionOutcome.ACTIVE, device)
    moments = [getattr(session, f"{stage}_at") for stage in SessionStage.values]
    assert moments == sorted(moments)

"""What the passing of time does to an enrollment: the server is in here, its clock can move."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from django.core import mail

from apple.services import push_certificate
from core.actors import Actor
from core.services import delivery
from enrollment.services import invitations
from enrollment.tasks import sweep_expiries
from simulator import wire
from simulator.devices import IPhone, facts
from simulator.errors import PageRefused, ScepRefused
from simulator.mailbox import parse_message, read_invitation
from simulator.person import Person
from tests import factories
from tests.pki_material import rsa_key


@pytest.fixture
def iphone():
    with wire.open_client() as http:
        yield IPhone(facts.mobile(facts.new_random(), "Pia"), http, new_key=lambda _: rsa_key("a"))


@pytest.fixture
def invited(transactional_db, live_server, settings, tenant, monkeypatch):
    """Somebody whose invitation has just arrived from a server in this process."""
    settings.MUSTER_PUBLIC_URL = live_server.url
    factories.with_keys(tenant, monkeypatch)
    push_certificate.install_practice(tenant=tenant)
    invitations.invite(tenant=tenant, emails=["pia@acme.test"], actor=Actor.system("tests"))
    for _ in range(2):
        delivery.sweep()
    message = parse_message(mail.outbox[-1].message().as_bytes())
    return Person("pia@acme.test"), read_invitation(message)


def later(**delta):
    return time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(**delta), tick=True)


def test_an_expired_profile_is_refused_and_a_new_one_is_a_tap_away(invited, iphone):
    person, invitation = invited
    browser, data = person.fetch_profile(iphone, invitation.link, pin=invitation.pin)
    with later(minutes=11):
        sweep_expiries()
        status = browser.enrollment_status()
        assert status["state"] == "refused"
        assert "download it again" in status["message"]
        with pytest.raises(ScepRefused):
            iphone.install(data)
        assert not iphone.is_managed
        page = browser.open(invitation.link)
        assert page.step == "profile"
        browser.submit(page.step_form)
        iphone.install(browser.download().content)
        assert browser.enrollment_status()["state"] == "active"


def test_a_download_link_does_not_outlive_its_minutes(invited, iphone):
    person, invitation = invited
    browser, _ = person.fetch_profile(iphone, invitation.link, pin=invitation.pin)
    url = browser.page.download_url
    with later(minutes=11), pytest.raises(PageRefused) as refused:
        browser.download(url)
    assert refused.value.status < 500
    assert refused.value.errors


def test_a_profile_installed_within_its_time_works_although_it_is_downloaded_late(invited, iphone):
    person, invitation = invited
    browser, data = person.fetch_profile(iphone, invitation.link, pin=invitation.pin)
    with later(minutes=8):
        iphone.install(data)
        assert browser.enrollment_status()["state"] == "active"


def test_an_invitation_ends_after_its_days(invited, iphone):
    person, invitation = invited
    with later(days=8), pytest.raises(PageRefused, match="valid for some days only"):
        sweep_expiries()
        person.accept(iphone, invitation)
    assert not iphone.is_managed

"""A simulated person reads and accepts the terms where a server asks for them."""

from __future__ import annotations

import httpx2
import pytest

from accounts.models import TermsAcceptance
from accounts.services import terms
from enrollment import platforms
from enrollment.services import invitations, links, pins
from simulator import registration
from simulator.browser import Browser
from tests.enrollment.conftest import ADMIN, PASSWORD, SigningPlatform

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_simulated_person_accepts_on_the_way(live_server, tenant, person, monkeypatch):
    backend = SigningPlatform()
    monkeypatch.setattr(platforms, "_backends", dict.fromkeys(backend.platforms, backend))
    asked = terms.publish(tenant=tenant, title="Terms", text="Be kind.", actor=ADMIN)
    invitation = invitations.invite_user(user=person, actor=ADMIN)
    token = links.create(invitation).rpartition("/")[2]
    pin = pins.issue(user=person, actor=ADMIN).digits
    with httpx2.Client() as http:
        page = registration.register(
            Browser(http), f"{live_server.url}/go/{token}", pin=pin, password=PASSWORD
        )
    assert page.download_url
    accepted = TermsAcceptance.objects.get()
    assert (accepted.terms, accepted.user, accepted.ip) == (asked, person, "127.0.0.1")

"""A code made in the self-service portal for the camera of another device."""

from __future__ import annotations

import re

import pytest
from django.conf import settings as configured
from django.test import Client

from enrollment.models import EnrollmentSession
from enrollment.services import qr
from tests import qr_reader
from tests.enrollment.conftest import IPHONE, Pages, platform

pytestmark = pytest.mark.django_db
__all__ = ["platform"]
ADD = "/me/devices/add/"


@pytest.fixture(autouse=True)
def offered(platform):
    """Apple devices can be registered."""


def code_in(html):
    return re.search(r"<code>\S+?(/go/q/[a-z2-7]{32})</code>", html)[1]


def test_a_code_is_made_shown_once_and_replaced(pia):
    assert "Show the code" in pia.get(ADD).content.decode()
    first = pia.post(f"{ADD}code/").content.decode()
    assert "data-countdown" in first
    assert pia.get(f"{ADD}code/status/").json()["state"] == "live"
    again = pia.get(ADD).content.decode()
    assert "/go/q/" not in again
    second = pia.post(f"{ADD}code/").content.decode()
    token = code_in(first).rpartition("/")[2]
    assert qr.look_up(token).state == "replaced"
    assert qr.look_up(code_in(second).rpartition("/")[2]).state == "live"


@pytest.mark.zbar
def test_a_camera_reads_the_address_and_nothing_else(pia, person, tmp_path):
    html = pia.post(f"{ADD}code/").content.decode()
    [said] = qr_reader.read(qr_reader.rasterise(html, tmp_path / "code.pbm"))
    assert said == f"{configured.MUSTER_PUBLIC_URL}{code_in(html)}"
    assert person.email not in said


def test_the_maker_sees_its_use_and_can_end_it(pia, person):
    html = pia.post(f"{ADD}code/").content.decode()
    phone = Pages(IPHONE).open(code_in(html)).send("start")
    assert phone.step == "profile"
    assert pia.get(f"{ADD}code/status/").json()["message"].startswith("Your code was used by an")
    page = pia.get(ADD).content.decode()
    assert "used by an iPhone" in page
    code = re.search(r'name="code" value="([^"]+)"', page)[1]
    ended = pia.post(f"{ADD}code/disown/", {"code": code}, follow=True).content.decode()
    assert "it was somebody else" in ended
    assert not EnrollmentSession.objects.get(user=person).is_open


def test_nobody_ends_the_code_of_a_colleague(pia, person, colleague):
    issued = qr.issue(user=colleague, actor=colleague.person_actor)
    token = issued.url.rpartition("/")[2]
    Pages(IPHONE).open(f"/go/q/{token}").send("start")
    pia.post(f"{ADD}code/disown/", {"code": str(issued.secret.pk)})
    assert EnrollmentSession.objects.get(user=colleague).is_open
    assert pia.get(f"{ADD}code/status/").json()["state"] == "ended"


@pytest.mark.parametrize("code", ["", "nonsense", "0" * 5000])
def test_what_no_form_sends_is_refused(pia, code):
    assert pia.post(f"{ADD}code/disown/", {"code": code}).status_code == 409


def test_signed_out_there_is_no_code(tenant):
    for path in ("code/", "code/status/", "code/disown/"):
        assert Client().post(f"{ADD}{path}").status_code == 302

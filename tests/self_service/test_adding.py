"""Adding the device that one holds: the portal confirms the person, the registration goes on."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.conf import settings as conf

from accounts.services import tenants
from core import clock
from core.models import OutboxMessage
from enrollment.models import EnrollmentSession, SessionStage
from enrollment.services import invitations
from tests import factories
from tests.enrollment.conftest import IPHONE, MAC, WINDOWS, Pages, mails, platform, quick_pins
from tests.portal import history_of, me, text

pytestmark = pytest.mark.django_db
__all__ = ["mails", "platform", "quick_pins"]


@pytest.fixture
def apple(platform):
    """Apple devices can be registered."""
    return platform


def begin(client, agent, **data):
    return client.post(me("me-begin-here"), data, headers={"User-Agent": agent})


def test_an_iphone_goes_on_where_the_registration_shows_what_happens(pia, person, apple):
    assert "Add this iPhone" in text(pia.get(me("me-device-add"), headers={"User-Agent": IPHONE}))
    answer = begin(pia, IPHONE)
    assert answer.headers["Location"] == "/go"
    session = EnrollmentSession.objects.get()
    assert (session.user, session.platform) == (person, "iphone")
    assert session.stage == SessionStage.AUTHENTICATED
    page = text(pia.get("/go", headers={"User-Agent": IPHONE}))
    assert 'data-step="profile"' in page


def test_a_mac_is_told_from_an_ipad_by_its_touch_screen(pia, apple):
    begin(pia, MAC, touch="0")
    assert EnrollmentSession.objects.get().platform == "mac"
    begin(pia, MAC, touch="5")
    assert EnrollmentSession.objects.order_by("-opened_at")[0].platform == "ipad"


def test_a_computer_that_cannot_be_managed_is_sent_to_the_code(pia, apple):
    page = text(pia.get(me("me-device-add"), headers={"User-Agent": WINDOWS}))
    assert "Add a phone or tablet with a code" in page
    assert me("me-begin-here") not in page
    begin(pia, WINDOWS)
    assert not EnrollmentSession.objects.exists()


def test_the_cookie_of_the_attempt_is_not_that_of_the_portal(pia, apple):
    answer = begin(pia, IPHONE)
    assert set(answer.cookies) == {conf.GO_COOKIE_NAME}
    pia.cookies.pop(conf.ME_COOKIE_NAME)
    assert 'data-step="profile"' in text(pia.get("/go", headers={"User-Agent": IPHONE}))
    assert pia.get("/me/").status_code == 302


def code_on(page) -> str:
    return re.search(r"(/go/q/[a-z2-7]{32})", page)[1]


def test_a_pin_that_the_organisation_always_asks_for_is_asked_for(pia, apple, policy):
    """A while after the sign-in, by the button and by the code alike."""
    policy(require_pin=True)
    page = text(pia.get(me("me-device-add"), headers={"User-Agent": IPHONE}))
    assert "the registration will ask for a PIN, too" in page
    begin(pia, IPHONE)
    assert 'data-step="pin"' in text(pia.get("/go", headers={"User-Agent": IPHONE}))
    code = code_on(text(pia.post(me("me-code"))))
    assert Pages(IPHONE).open(code).send("start").step == "pin"


def test_just_after_the_sign_in_neither_asks_for_it(fresh_pia, apple, policy):
    policy(require_pin=True)
    page = text(fresh_pia.get(me("me-device-add"), headers={"User-Agent": IPHONE}))
    assert "the registration will ask for a PIN" not in page
    begin(fresh_pia, IPHONE)
    assert 'data-step="profile"' in text(fresh_pia.get("/go", headers={"User-Agent": IPHONE}))
    code = code_on(text(fresh_pia.post(me("me-code"))))
    assert Pages(IPHONE).open(code).send("start").step == "profile"


def test_a_sign_in_counts_and_grows_old(client, person, apple, policy, time_machine):
    policy(require_pin=True)
    time_machine.move_to(clock.now())
    client.post(me("account_login"), {"login": person.email, "password": factories.PASSWORD})
    add = me("me-device-add")
    assert "will ask for a PIN" not in text(client.get(add, headers={"User-Agent": IPHONE}))
    time_machine.move_to(clock.now() + dt.timedelta(minutes=6))
    assert "will ask for a PIN" in text(client.get(add, headers={"User-Agent": IPHONE}))


def test_an_invitation_that_wants_a_pin_counts_like_the_policy(pia, person, admin, apple):
    invitations.invite_user(user=person, actor=admin.actor, sender=admin, with_pin=True)
    page = text(pia.get(me("me-device-add"), headers={"User-Agent": IPHONE}))
    assert "will ask for a PIN" in page
    begin(pia, IPHONE)
    assert 'data-step="pin"' in text(pia.get("/go", headers={"User-Agent": IPHONE}))


@pytest.fixture
def two_hosts(tenant, settings):
    """Acme and Globex on one server, each at a host of its own."""
    settings.ALLOWED_HOSTS = ["mdm.acme.test", "mdm.globex.test"]
    settings.MUSTER_PUBLIC_URL = "https://mdm.globex.test:8443"
    factories.tenant("globex", name="Globex", hosts=["mdm.globex.test"])
    tenant.hosts = ["mdm.acme.test", "old.acme.test"]
    tenant.save(update_fields=["hosts"])


def test_the_hand_over_goes_to_the_host_of_the_organisation(pia, person, apple, two_hosts):
    answer = pia.post(
        me("me-begin-here"), headers={"User-Agent": IPHONE, "Host": "mdm.globex.test"}
    )
    page = text(answer)
    assert "Acme Aerospace registers devices at an address of its own" in page
    url = re.search(r'href="(https://[^"]+)"', page)[1]
    assert re.fullmatch(r"https://mdm\.acme\.test:8443/go/q/[a-z2-7]{32}", url)
    assert conf.GO_COOKIE_NAME not in answer.cookies
    assert not EnrollmentSession.objects.exists()
    phone = Pages(IPHONE)
    phone.client.defaults["HTTP_HOST"] = "mdm.acme.test"
    assert phone.open(code_on(url)).send("start").step == "profile"
    assert EnrollmentSession.objects.get().user == person


def test_on_the_host_of_the_organisation_it_goes_on_there(pia, apple, two_hosts):
    answer = pia.post(me("me-begin-here"), headers={"User-Agent": IPHONE, "Host": "mdm.acme.test"})
    assert answer.headers["Location"] == "/go"


def test_codes_links_and_addresses_name_the_host_of_the_organisation(
    pia, person, admin, apple, two_hosts, mails
):
    page = text(pia.post(me("me-code"), headers={"Host": "mdm.globex.test"}))
    assert "<code>https://mdm.acme.test:8443/go/q/" in page
    assert "https://mdm.acme.test:8443/go<" in page
    invitations.invite_user(user=person, actor=admin.actor, sender=admin)
    letter = mails()[-1]
    assert "https://mdm.acme.test:8443/go/" in letter.text
    assert "globex" not in letter.text


def test_an_organisation_alone_is_at_the_public_address(tenant, settings):
    settings.MUSTER_PUBLIC_URL = "https://mdm.example.org"
    tenant.hosts = ["other.example.org"]
    assert tenants.url_of(tenant) == "https://mdm.example.org"
    factories.tenant("globex")
    assert tenants.url_of(tenant) == "https://other.example.org"
    tenant.hosts = ["other.example.org", "mdm.example.org"]
    assert tenants.url_of(tenant) == "https://mdm.example.org"


def test_a_temporary_password_comes_first(pia, person, apple):
    type(person).objects.filter(pk=person.pk).update(must_change_password=True)
    assert begin(pia, IPHONE).headers["Location"] == "/me/account/password/"
    assert not EnrollmentSession.objects.exists()


def test_whoever_has_enough_devices_is_told_whom_to_ask(pia, tenant, person, apple, policy):
    tenant.help_contact = "the service desk, extension 700"
    tenant.save()
    factories.device(tenant, person)
    policy(device_limit=1)
    page = text(pia.get(me("me-device-add")))
    assert "You have 1 device, as many as your organisation allows" in page
    assert "the service desk, extension 700" in page


def test_when_nothing_can_be_added_the_page_says_so(pia, apple):
    apple.reason = "Registration of Apple devices is not enabled yet."
    page = text(pia.get(me("me-device-add"), headers={"User-Agent": IPHONE}))
    assert "not enabled yet" in page
    assert me("me-begin-here") not in page
    begin(pia, IPHONE)
    assert not EnrollmentSession.objects.exists()


def test_a_new_pin_is_mailed_to_oneself(pia, person, apple):
    pia.post(me("me-pin-request"))
    assert "enrollment.pin.requested" in history_of(person)
    assert OutboxMessage.objects.filter(tenant=person.tenant).exists()


def test_a_second_pin_at_once_is_refused_in_words(pia, apple):
    pia.post(me("me-pin-request"))
    answer = pia.post(me("me-pin-request"))
    assert answer.status_code == 429
    assert "There is a problem" in text(answer)


def test_no_pin_is_mailed_where_the_organisation_gives_them_out_itself(pia, apple, policy):
    policy(may_request_pin=False)
    assert me("me-pin-request") not in text(pia.get(me("me-device-add")))
    assert pia.post(me("me-pin-request")).status_code >= 400
    assert not OutboxMessage.objects.exists()


def test_reading_the_page_makes_nothing(pia, apple):
    pia.get(me("me-device-add"))
    assert pia.get(me("me-begin-here")).status_code == 405
    assert pia.get(me("me-code")).status_code == 405
    assert not EnrollmentSession.objects.exists()

"""A code on one screen, scanned by the camera of another device: used once, by whoever is first."""

from __future__ import annotations

import datetime as dt
import re
import threading

import pytest
from django.db import connections

from accounts.models import UserSettings
from accounts.services import users
from core import clock, onetime
from core.models import HistoryEntry, OneTimeSecret
from devices.states import DeviceState
from enrollment.errors import CodeRefused, TooManyTries
from enrollment.models import EnrollmentSession, SessionOutcome, SessionStage, StoppedReason
from enrollment.services import limits, pins, qr, registration, sessions
from tests import factories
from tests.enrollment.conftest import IPHONE, MAC, PASSWORD, WINDOWS, hours_later

pytestmark = pytest.mark.django_db
IOS_13 = IPHONE.replace("iPhone OS 18_6", "iPhone OS 13_7").replace("Version/18.6", "Version/13.1")
ANDROID_8 = (
    "Mozilla/5.0 (Linux; Android 8.1.0; Pixel) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/120.0.0.0 Mobile Safari/537.36"
)
PHONE = registration.Browser(ip="203.0.113.9", platform="iphone")


@pytest.fixture
def maker(tenant):
    return factories.user(tenant, email="mia.maker@acme.test", first_name="Mia")


def code_of(user):
    issued = qr.issue(user=user, actor=user.person_actor)
    return issued, issued.url.removeprefix("http://testserver").rpartition("/")[2]


def path(token):
    return f"/go/q/{token}"


def test_a_code_is_our_address_and_a_token_of_160_bits(maker, settings):
    issued, token = code_of(maker)
    assert re.fullmatch(re.escape(settings.MUSTER_PUBLIC_URL) + r"/go/q/[a-z2-7]{32}", issued.url)
    lifetime = issued.expires_at - issued.secret.created_at
    assert abs(lifetime - dt.timedelta(minutes=10)) < dt.timedelta(seconds=1)
    assert token not in str(OneTimeSecret.objects.filter(pk=issued.secret.pk).values().get())


def test_the_phone_gets_to_the_profile_without_typing(maker, pages):
    _issued, token = code_of(maker)
    phone = pages().open(path(token))
    assert phone.step == "start"
    assert "Mia" in phone.html
    assert phone.send("start").step == "profile"
    session = EnrollmentSession.objects.get()
    assert (session.user, session.platform) == (maker, "iphone")
    assert session.stage == SessionStage.AUTHENTICATED
    phone.path = "/go"
    assert phone.send("profile").download


def test_reading_the_address_uses_nothing_up(maker, pages):
    _issued, token = code_of(maker)
    for _time in range(10):
        scanner = pages()
        scanner.open(path(token))
        scanner.client.head(path(token))
    assert EnrollmentSession.objects.count() == 0
    assert pages().open(path(token)).send("start").step == "profile"


def test_the_second_device_is_told_what_happened(maker, pages):
    _issued, token = code_of(maker)
    first, second = pages().open(path(token)), pages().open(path(token))
    first.send("start")
    second.send("start")
    assert second.response.status_code == 410
    assert "used already, by an iPhone" in second.errors
    assert "Mia" not in second.html
    assert EnrollmentSession.objects.count() == 1
    assert pages().open(path(token)).response.status_code == 410


def test_scanned_again_by_the_same_phone_it_goes_on(maker, pages):
    _issued, token = code_of(maker)
    phone = pages().open(path(token)).send("start")
    answer = phone.client.get(path(token))
    assert (answer.status_code, answer["Location"]) == (302, "/go")


def test_a_new_code_voids_the_one_before(maker, pages):
    _old, old_token = code_of(maker)
    _new, new_token = code_of(maker)
    refused = pages().open(path(old_token))
    assert refused.response.status_code == 410
    assert "newer code" in refused.errors
    assert pages().open(path(new_token)).step == "start"


def test_a_code_lives_ten_minutes(maker, pages, monkeypatch):
    _issued, token = code_of(maker)
    hours_later(monkeypatch, 0.17)
    assert "expired" in pages().open(path(token)).errors


@pytest.mark.parametrize("change", ["password", "disabled", "address", "links"])
def test_a_code_dies_with_what_it_rests_on(maker, pages, change):
    _issued, token = code_of(maker)
    if change == "password":
        users.set_password(user=maker, password=PASSWORD, actor=maker.actor)
    elif change == "disabled":
        users.set_enabled(user=maker, enabled=False, actor=maker.actor)
    elif change == "address":
        type(maker).objects.filter(pk=maker.pk).update(email="mia.moved@acme.test")
    else:
        type(maker.tenant).objects.update(links_voided_at=clock.now())
    page = pages().open(path(token))
    assert page.response.status_code == 410
    assert page.send("start").response.status_code in (403, 410)
    with pytest.raises(CodeRefused):
        qr.redeem(token=token, browser=PHONE)
    assert EnrollmentSession.objects.count() == 0


def test_a_token_of_another_purpose_is_no_code(maker, invited):
    _invitation, letter = invited()
    token = letter.link.rpartition("/")[2]
    assert qr.look_up(token).state == "unknown"
    with pytest.raises(CodeRefused) as refused:
        qr.redeem(token=token, browser=PHONE)
    assert refused.value.code == "code_unknown"


@pytest.mark.parametrize("token", ["", "x", "a" * 5000, "%00", "../../devices", "ünïcode"])
def test_what_is_no_token_is_told_so(pages, tenant, token):
    assert qr.look_up(token).state == "unknown"
    if token:
        assert pages().client.get(f"/go/q/{token}").status_code in (302, 404)


@pytest.mark.parametrize(
    ("agent", "words"),
    [(IOS_13, "from iOS 14 on"), (ANDROID_8, "from Android 9 on"), (WINDOWS, "with your phone")],
)
def test_a_device_that_cannot_use_it_leaves_the_code_good(maker, pages, agent, words):
    _issued, token = code_of(maker)
    page = pages(agent).open(path(token))
    assert words in page.errors
    page.send("start")
    assert EnrollmentSession.objects.count() == 0
    assert pages().open(path(token)).send("start").step == "profile"


def test_somebody_without_an_own_password_chooses_one_first(tenant, pages):
    newcomer = factories.user(tenant, email="nina.new@acme.test", must_change_password=True)
    _issued, token = code_of(newcomer)
    assert pages().open(path(token)).send("start").step == "password"


def test_codes_are_limited_per_person_and_scans_per_network(maker, monkeypatch):
    monkeypatch.setattr(limits, "CODES_PER_PERSON", 2)
    monkeypatch.setattr(limits, "SCANS_PER_NETWORK", 2)
    tokens = [code_of(maker)[1], code_of(maker)[1]]
    with pytest.raises(TooManyTries):
        code_of(maker)
    for token in tokens[:1] * 2:
        with pytest.raises(CodeRefused):
            qr.redeem(token=token, browser=PHONE)
    with pytest.raises(TooManyTries):
        qr.redeem(token=tokens[1], browser=PHONE)


def sign_in_at_the_desk(pages, user):
    desk = pages(WINDOWS).open("/go")
    assert desk.step == ""
    desk.open("/go?sign-in")
    desk.path = "/go"
    desk.send("sign-in", email=user.email, password=factories.PASSWORD)
    assert 'value="code"' in desk.html, desk.html
    return desk.send("code")


def token_on(page):
    return re.search(r"<code>\S+?/go/q/([a-z2-7]{32})</code>", page.html)[1]


def test_a_computer_shows_the_code_after_signing_in(maker, pages):
    desk = sign_in_at_the_desk(pages, maker)
    url = re.search(r"<code>(http[^<]+/go/q/[a-z2-7]{32})</code>", desk.html)[1]
    assert "m-qr" in desk.html
    assert desk.html.count("data-countdown") == 1
    assert desk.client.get("/go/code-status").json()["state"] == "live"
    phone = pages().open(url.partition("testserver")[2] or "/go" + url.partition("/go")[2])
    phone.send("start")
    told = desk.client.get("/go/code-status").json()
    assert told["state"] == "used"
    assert "an iPhone" in told["message"]
    desk.open("/go?code")
    assert "used by an iPhone" in desk.html


def test_the_attempt_of_the_computer_ends_when_the_phone_takes_over(maker, pages):
    desk = sign_in_at_the_desk(pages, maker)
    shown = EnrollmentSession.objects.get()
    assert shown.is_open
    pages().open(path(token_on(desk))).send("start")
    shown.refresh_from_db()
    assert (shown.outcome, shown.stopped_reason) == ("cancelled", StoppedReason.MOVED)
    assert shown.remind_at is None
    on_the_phone = EnrollmentSession.objects.get(platform="iphone")
    assert on_the_phone.is_open
    assert on_the_phone.remind_at is not None


def test_its_page_goes_on_telling_and_can_make_another_code(maker, pages):
    desk = sign_in_at_the_desk(pages, maker)
    pages().open(path(token_on(desk))).send("start")
    assert desk.client.get("/go/code-status").json()["state"] == "used"
    desk.path = "/go"
    assert "used by an iPhone" in desk.open("/go").html
    second = token_on(desk.send("code"))
    assert pages().open(path(second)).send("start").step == "profile"
    assert "used by an iPhone" in desk.open("/go").html
    assert EnrollmentSession.objects.open().count() == 2, "two phones, no computer"


def test_the_computer_can_be_used_for_another_person_then(maker, tenant, pages):
    desk = sign_in_at_the_desk(pages, maker)
    pages().open(path(token_on(desk))).send("start")
    other = factories.user(tenant)
    desk.open("/go?sign-in&again")
    desk.path = "/go"
    desk.send("sign-in", email=other.email, password="wrong entirely")
    assert "data-error-summary" in desk.html
    desk.send("sign-in", email=other.email, password=factories.PASSWORD)
    assert EnrollmentSession.objects.filter(user=other, outcome="open").exists()


@pytest.mark.parametrize("change", ["password", "disabled", "hours"])
def test_it_tells_nothing_once_the_person_s_proof_is_worthless(maker, pages, monkeypatch, change):
    desk = sign_in_at_the_desk(pages, maker)
    pages().open(path(token_on(desk))).send("start")
    if change == "password":
        users.set_password(user=maker, password=PASSWORD, actor=maker.actor)
    elif change == "disabled":
        users.set_enabled(user=maker, enabled=False, actor=maker.actor)
    else:
        hours_later(monkeypatch, 24.5)
    assert desk.client.get("/go/code-status").status_code == 404
    assert "used by an iPhone" not in desk.open("/go").html
    desk.path = "/go"
    assert "/go/q/" not in desk.send("code").html


def test_a_mac_with_a_profile_of_its_own_goes_on(maker, pages):
    mac = pages(MAC).open("/go")
    mac.send("sign-in", email=maker.email, password=factories.PASSWORD)
    mac.send("profile")
    mac.open("/go?code")
    token = token_on(mac.send("code"))
    pages().open(path(token)).send("start")
    assert EnrollmentSession.objects.get(platform="mac").is_open
    assert mac.open("/go").download


def test_a_mac_that_only_showed_the_code_can_be_registered_too(maker, pages):
    mac = pages(MAC).open("/go")
    mac.send("sign-in", email=maker.email, password=factories.PASSWORD)
    mac.open("/go?code")
    pages().open(path(token_on(mac.send("code")))).send("start")
    assert "Register this device, too" in mac.open("/go").html
    mac.open("/go?again")
    mac.path = "/go"
    mac.send("sign-in", email=maker.email, password=factories.PASSWORD)
    assert mac.step == "profile"


def test_that_was_not_me_ends_the_attempt_on_the_other_device(maker, pages):
    desk = sign_in_at_the_desk(pages, maker)
    url = re.search(r"<code>\S+?(/go/q/[a-z2-7]{32})</code>", desk.html)[1]
    thief = pages().open(url).send("start")
    thief.path = "/go"
    thief.send("profile")
    download = thief.download
    desk.open("/go?code")
    code = re.search(r'name="code" value="([^"]+)"', desk.html)[1]
    desk.path = "/go"
    assert "it was somebody else" in desk.send("disown", code=code).html
    session = EnrollmentSession.objects.get(platform="iphone")
    assert session.outcome == SessionOutcome.CANCELLED
    assert session.stopped_reason == StoppedReason.DISOWNED
    assert thief.client.get(download).status_code == 410
    assert "ended from the screen" in thief.open("/go").html
    assert HistoryEntry.objects.filter(action="enrollment.code.disowned").count() == 1


@pytest.mark.parametrize(
    ("state", "expected"),
    [(DeviceState.ENROLLING, DeviceState.UNENROLLED), (DeviceState.ACTIVE, None)],
)
def test_that_was_not_me_lets_go_of_a_device(maker, state, expected):
    issued, token = code_of(maker)
    session = qr.redeem(token=token, browser=PHONE).session
    device = factories.device(maker.tenant, maker, state=state)
    sessions.record(session, SessionStage.CHECKED_IN, actor=maker.actor, device=device)
    if state == DeviceState.ACTIVE:
        sessions.record(session, SessionStage.ACTIVE, actor=maker.actor, device=device)
    assert qr.disown(user=maker, secret_id=issued.secret.pk, actor=maker.person_actor)
    assert qr.newest(maker).is_disowned
    device.refresh_from_db()
    assert device.state in ({expected} if expected else {"retire_pending", "unenrolled"})
    assert not qr.disown(user=maker, secret_id=issued.secret.pk, actor=maker.person_actor)


def test_nobody_ends_what_another_person_s_code_began(maker, tenant):
    issued, token = code_of(maker)
    session = qr.redeem(token=token, browser=PHONE).session
    other = factories.user(tenant)
    assert not qr.disown(user=other, secret_id=issued.secret.pk, actor=other.person_actor)
    session.refresh_from_db()
    assert session.is_open


def test_only_the_browser_that_is_confirmed_hears_of_the_code(maker, pages):
    sign_in_at_the_desk(pages, maker)
    assert pages(WINDOWS).client.get("/go/code-status").status_code == 404


def test_a_mac_that_is_confirmed_can_show_a_code_too(maker, pages):
    desk = pages(MAC).open("/go")
    desk.send("sign-in", email=maker.email, password=factories.PASSWORD)
    assert desk.step == "profile"
    assert 'value="code"' in desk.open("/go?code").html


@pytest.mark.django_db(transaction=True)
def test_scanned_by_many_at_once_one_gets_it(tenant):
    maker = factories.user(tenant)
    _issued, token = code_of(maker)
    barrier, answers = threading.Barrier(8), []

    def scan():
        barrier.wait(timeout=30)
        try:
            answers.append(qr.redeem(token=token, browser=PHONE))
        except CodeRefused as error:
            answers.append(error.code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=scan) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert len(answers) == 8
    assert answers.count("code_used") == 7
    assert EnrollmentSession.objects.count() == 1
    assert OneTimeSecret.objects.filter(purpose=qr.PURPOSE, used_at__isnull=False).count() == 1


def test_the_subject_of_a_code_is_its_person(maker):
    issued, _token = code_of(maker)
    assert issued.secret.subject == onetime.subject_of(maker)


@pytest.fixture
def always_a_pin(tenant):
    UserSettings.objects.filter(tenant=tenant).update(require_pin=True)


def test_a_code_made_just_after_a_sign_in_asks_for_no_pin(maker, pages, always_a_pin):
    _issued, token = code_of(maker)
    assert pages().open(path(token)).send("start").step == "profile"


def test_a_code_made_long_after_the_sign_in_asks_for_it(maker, pages, always_a_pin):
    issued = qr.issue(user=maker, actor=maker.person_actor, is_fresh=False)
    phone = pages().open(path(qr.token_in(issued.url))).send("start")
    assert phone.step == "pin"
    phone.path = "/go"
    digits = pins.issue(user=maker, actor=maker.actor).digits
    assert phone.send("pin", pin=digits).step == "profile"


def test_it_asks_for_none_where_the_policy_wants_none(maker, pages):
    issued = qr.issue(user=maker, actor=maker.person_actor, is_fresh=False)
    assert pages().open(path(qr.token_in(issued.url))).send("start").step == "profile"


def test_a_computer_that_took_the_pin_hands_over_without_another(maker, pages, always_a_pin):
    desk = pages(WINDOWS).open("/go?sign-in")
    desk.path = "/go"
    desk.send("sign-in", email=maker.email, password=factories.PASSWORD)
    assert desk.step == "pin"
    desk.send("pin", pin=pins.issue(user=maker, actor=maker.actor).digits)
    token = token_on(desk.send("code"))
    assert pages().open(path(token)).send("start").step == "profile"

"""Every way into a registration withstands the same: page, own portal, code, client app."""

from __future__ import annotations

import hashlib
import re
import threading

import pytest
from django.conf import settings as django_settings
from django.db import connections
from django.test import Client

from accounts.models import UserSettings
from accounts.services import users
from core.models import HistoryEntry, OneTimeSecret
from devices.models import Device
from devices.services import entries
from enrollment.models import ClientInstallation, EnrollmentSession, SessionStage
from enrollment.services import limits, pins, qr, sessions
from tests import factories
from tests.architecture.objects import World, values_of
from tests.client_api.conftest import App, app
from tests.enrollment.conftest import (
    ADMIN,
    IPHONE,
    PASSWORD,
    Pages,
    confirmed,
    invited,
    mails,
    pages,
    platform,
    quick_pins,
)
from tests.portal import me, sign_in_me, text
from tests.trust.test_sessions import ATTACKS, EVERY_METHOD, cache_rules, form_routes, written

pytestmark = pytest.mark.django_db
__all__ = ["app", "confirmed", "invited", "mails", "pages", "platform", "quick_pins"]
FORGED = ("HTTP_X_FORWARDED_FOR", "HTTP_TRUE_CLIENT_IP", "HTTP_X_REAL_IP")


@pytest.fixture
def pia(tenant, platform):
    return factories.user(tenant, email="paula.own@acme.test", first_name="Paula")


@pytest.fixture
def own(pia):
    """Pia's browser in her own portal, just signed in; forms are checked as in a browser."""
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    sign_in_me(client, pia, is_recent=True)
    return client


def own_routes():
    return [route for route in form_routes() if route.pattern.startswith("me/")]


def code_of(user, **options) -> str:
    return qr.token_in(qr.issue(user=user, actor=user.person_actor, **options).url)


# S-49 to S-51: PINs


def test_a_pin_has_five_tries_over_all_ways_together(tenant, pages, app, monkeypatch):
    """S-49: the page and the app, from many addresses, whatever the headers claim."""
    monkeypatch.setattr(limits, "ACCOUNT_TRIES", 50)
    person = factories.user(tenant, password=None)
    right = pins.issue(user=person, actor=ADMIN).digits
    wrong = "0" * len(right) if set(right) != {"0"} else "1" * len(right)
    for number, header in enumerate(FORGED):
        phone = app(ip=f"203.0.113.{number}")
        phone.client.defaults[header] = "198.51.100.9"
        phone.sign_in(person.email, wrong)
        assert phone.code == "sign_in_refused"
    for header in FORGED[:2]:
        page = pages(ip="192.0.2.7").open("/go")
        page.client.defaults[header] = "198.51.100.10"
        page.send("sign-in", email=person.email, password=wrong)
        assert page.response.status_code == 400
    assert not pins.has_live(person)
    phone = app(ip="203.0.113.77")
    phone.sign_in(person.email, right)
    assert phone.code == "sign_in_refused"
    assert pages().open("/go").send("sign-in", email=person.email, password=right).step == "sign-in"
    assert not EnrollmentSession.objects.exists()


def test_one_guess_at_each_of_many_people_trips_the_budget_of_the_app_too(tenant, app, monkeypatch):
    """S-50: with an alert in the history, and one budget for pages and apps."""
    monkeypatch.setattr(limits, "NETWORK_PINS", 4)
    people = [factories.user(tenant, password=None) for _ in range(6)]
    codes = []
    for person in people:
        pins.issue(user=person, actor=ADMIN)
        phone = app(ip="203.0.113.5")
        phone.sign_in(person.email, "00000000")
        codes.append(phone.code)
    assert codes == ["sign_in_refused"] * 4 + ["too_many_tries"] * 2
    assert HistoryEntry.objects.filter(action="enrollment.tries.exceeded").count() == 1
    page = Pages(ip="203.0.113.6").open("/go")
    page.send("sign-in", email=people[-1].email, password="00000000")
    assert page.response.status_code == 429


@pytest.mark.django_db(transaction=True)
def test_one_pin_typed_in_an_app_and_on_a_page_at_once_lets_one_in(platform):
    """S-51: whoever loses is told what happened, and what helps."""
    tenant = factories.tenant("acme")
    person = factories.user(tenant, password=None)
    pin = pins.issue(user=person, actor=ADMIN).digits
    barrier, seen = threading.Barrier(2), {}

    def by_app():
        phone = App(ip="203.0.113.1")
        phone.sign_in(person.email, pin)
        return phone.status == 201

    def by_page():
        page = Pages(ip="203.0.113.2").open("/go")
        return page.send("sign-in", email=person.email, password=pin).step == "password"

    def run(name, way):
        barrier.wait(timeout=30)
        try:
            seen[name] = way()
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(way.__name__, way)) for way in (by_app, by_page)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sorted(seen.values()) == [False, True]
    assert EnrollmentSession.objects.count() == 1


def test_the_second_phone_with_the_same_pin_reads_what_happened(invited, pages):
    _invitation, letter = invited()
    first, second = (pages(ip=f"203.0.113.{n}").open(letter.link).send("start") for n in (1, 2))
    assert first.send("pin", pin=letter.pin).step == "password"
    second.send("pin", pin=letter.pin)
    assert "used already: it works once, on one device" in second.html
    assert "tell your organisation" in second.html


# S-55, S-57: what a body claims, and bad passwords


@pytest.mark.parametrize("claim", ["user", "email", "role", "tenant", "is_staff", "is_fresh"])
def test_a_code_is_redeemed_for_whose_it_is_whatever_a_body_claims(pia, stranger, app, claim):
    phone = app()
    body = {"code": code_of(pia), "device": {"platform": "iphone"}, claim: stranger.email}
    phone.post("redeem-qr/", body)
    assert phone.status == 400
    page = Pages(IPHONE).open(f"/go/q/{code_of(pia)}")
    page.send("start", **{claim: stranger.email})
    assert EnrollmentSession.objects.get().user == pia


def test_the_portal_of_ones_own_hands_over_nobody_else(pia, own, stranger):
    page = own.get(me("me-device-add"), headers={"User-Agent": IPHONE}).content.decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)[1]
    claims = {"user": stranger.pk, "email": stranger.email, "csrfmiddlewaretoken": token}
    type(pia.tenant).objects.filter(pk=pia.tenant_id).update(hosts=["testserver"])
    own.post(me("me-begin-here"), claims, headers={"User-Agent": IPHONE})
    assert EnrollmentSession.objects.get().user == pia


@pytest.mark.parametrize("password", ["short", "password1234", "1234567890", "PIN", "EMAIL"])
def test_a_bad_password_is_refused_by_the_app_s_call_with_its_reason(tenant, app, password):
    person = factories.user(tenant, password=None)
    pin = pins.issue(user=person, actor=ADMIN).digits
    phone = app()
    phone.sign_in(person.email, pin)
    typed = {"PIN": pin, "EMAIL": person.email}.get(password, password)
    phone.of(phone.begin(), "password", {"password": typed})
    assert phone.status == 400
    assert phone.answer.json()["error"]["message"]
    person.refresh_from_db()
    assert not person.has_usable_password()


# S-58 to S-60: links and codes


def test_a_scanner_that_follows_a_code_or_a_hand_over_uses_nothing_up(pia, own):
    token = code_of(pia)
    for _time in range(10):
        for method in ("GET", "HEAD", "OPTIONS"):
            Client().generic(method, f"/go/q/{token}?step=start")
    assert qr.look_up(token).state == "live"
    assert not EnrollmentSession.objects.exists()


def test_the_page_of_a_link_says_that_opening_it_uses_nothing_up(invited, pages):
    _invitation, letter = invited()
    for _time in range(10):
        scanner = pages().open(letter.link)
    assert "Opening this page uses nothing up" in scanner.html
    assert pages().open(letter.link).send("start").send("pin", pin=letter.pin).step == "password"


def test_what_an_app_is_told_of_a_profile_is_what_is_downloaded(pia, app):
    """S-60: the same signed bytes; the app can compare them."""
    phone = app()
    phone.sign_in(pia.email)
    profile = phone.of(phone.begin(), "profile")["profile"]
    content = phone.client.get("/enroll/" + profile["url"].partition("/enroll/")[2]).content
    assert hashlib.sha256(content).hexdigest() == profile["sha256"]


# S-62: hosts


@pytest.mark.parametrize("path", ["/me/", "/me/sign-in/", "/go", "/client/v1/sign-in/"])
def test_a_foreign_host_is_refused_on_every_plane(tenant, settings, path):
    settings.ALLOWED_HOSTS = ["testserver"]
    client = Client(raise_request_exception=False)
    assert client.get(path, headers={"Host": "evil.test"}).status_code == 400


def test_no_header_says_where_a_code_leads(pia, own, settings):
    page = own.get(me("me-device-add")).content.decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)[1]
    answer = own.post(
        me("me-code"),
        {"csrfmiddlewaretoken": token},
        headers={"X-Forwarded-Host": "evil.test", "X-Original-URL": "https://evil.test/"},
    )
    assert f"{settings.MUSTER_PUBLIC_URL}/go/q/" in text(answer)
    assert "evil.test" not in text(answer)


# S-64: what ends with a person's proof


@pytest.mark.parametrize("change", ["password", "address", "disabled"])
def test_codes_apps_and_own_sessions_end_with_what_they_rest_on(pia, own, app, change):
    token, phone = code_of(pia), app()
    phone.sign_in(pia.email)
    assert own.get(me("me-home")).status_code == 200
    if change == "password":
        users.set_password(user=pia, password=PASSWORD, actor=ADMIN)
    elif change == "address":
        type(pia).objects.filter(pk=pia.pk).update(email="moved@acme.test")
    else:
        users.set_enabled(user=pia, enabled=False, actor=ADMIN)
    assert qr.look_up(token).state == "ended"
    if change == "address":
        return
    phone.call("GET", "installation/")
    assert phone.status == 401
    assert own.get(me("me-home")).status_code == 302


# S-69 to S-74: cookies, forms, frames of the portal of one's own


def test_a_planted_cookie_is_not_the_one_that_goes_on_with_a_code(pia):
    """S-69: whoever planted it before the scan learns nothing."""
    planted = Pages(IPHONE).open(f"/go/q/{code_of(pia)}").send("start")
    cookie = planted.client.cookies[django_settings.GO_COOKIE_NAME].value
    victim = Pages(IPHONE)
    victim.client.cookies[django_settings.GO_COOKIE_NAME] = cookie
    victim.open(f"/go/q/{code_of(pia)}").send("start")
    fresh = victim.client.cookies[django_settings.GO_COOKIE_NAME].value
    assert fresh != cookie
    assert EnrollmentSession.objects.count() == 2


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_form_of_the_own_portal_is_taken_from_elsewhere(own, pia, tenant, attack):
    """S-72, for somebody who is signed in there."""
    factories.device(tenant, pia)
    fields, kind, headers = ATTACKS[attack]
    page = own.get(me("me-device-add")).content.decode()
    ours = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)[1]
    sent = {name: {"ours": ours, "theirs": "y" * 64}.get(v, v) for name, v in fields.items()}
    body = "&".join(f"{name}={value}" for name, value in sent.items())
    content_type = "application/x-www-form-urlencoded" if kind == "form" else kind
    world, taken = World(tenant), []
    before = written()
    for route in own_routes():
        values = values_of(route.pattern, world) if route.parameters else {}
        for method in EVERY_METHOD if attack == "without a token" else ("POST",):
            answer = own.generic(
                method, route.path(**values or {}), body, content_type=content_type, headers=headers
            )
            if answer.status_code not in (403, 404, 405):
                taken.append(f"{method} {route.pattern}: {answer.status_code}")
    assert len(own_routes()) > 20
    assert not taken, "\n".join(taken)
    assert written() == before


def test_every_page_of_the_own_portal_forbids_frames_scripts_and_caches(own):
    """S-74, with what somebody sees who is signed in there."""
    for route in own_routes():
        if route.parameters:
            continue
        answer = own.get(route.path())
        policy = answer.headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in policy, route.pattern
        assert "unsafe" not in policy, route.pattern
        assert answer.headers["X-Frame-Options"] == "DENY", route.pattern
        assert {"private", "no-store"} <= cache_rules(answer), route.pattern


def test_a_page_of_an_app_has_no_cookie_and_no_frame(pia, app):
    phone = app()
    phone.sign_in(pia.email)
    assert phone.answer.headers["X-Frame-Options"] == "DENY"
    assert "no-store" in phone.answer.headers["Cache-Control"]


# What people do


def test_the_device_of_another_person_changes_hands_in_plain_sight(tenant, pia, confirmed):
    """Whoever enrolls a colleague's device reads it, and so do the administrators."""
    page, session = confirmed()
    old = factories.device(tenant, pia, name="Pia's iPhone")
    new = entries.open_entry(
        tenant=tenant,
        key=old.physical.key,
        platform="iphone",
        channel_kind="apple",
        user=session.user,
        session_id=session.pk,
        facts=entries.Facts(name="Pia's iPhone"),
        device_limit=None,
        actor=ADMIN,
    )
    sessions.record(session, SessionStage.ACTIVE, actor=ADMIN, device=new)
    assert "registered in the name of somebody else" in page.open("/go").html
    old.refresh_from_db()
    assert old.archived_at is not None
    assert Device.objects.was_of_another(new)
    assert list(Device.objects.of_person(pia)) == []


def test_a_device_of_ones_own_that_is_registered_again_reads_nothing_of_it(tenant, confirmed):
    page, session = confirmed()
    old = factories.device(tenant, session.user)
    new = factories.device(tenant, session.user, state="enrolling")
    type(old).objects.filter(pk=old.pk).update(superseded_by=new)
    sessions.record(session, SessionStage.ACTIVE, actor=ADMIN, device=new)
    assert "somebody else" not in page.open("/go").html


def test_a_code_photographed_by_a_colleague_is_seen_and_ended_by_its_maker(pia, own):
    token = code_of(pia)
    thief = Pages(IPHONE).open(f"/go/q/{token}").send("start")
    assert thief.step == "profile"
    late = Pages(IPHONE).open(f"/go/q/{token}")
    assert "If that was not you, end that registration" in late.html
    page = own.get(me("me-device-add")).content.decode()
    assert "Your code was used by an iPhone" in page
    csrf = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)[1]
    code = re.search(r'name="code" value="([^"]+)"', page)[1]
    own.post(me("me-code-disown"), {"code": code, "csrfmiddlewaretoken": csrf})
    assert "ended from the screen that showed the code" in thief.open("/go").html


def test_an_app_that_lies_about_its_phone_gets_nothing_by_it(pia, app):
    """An old system that says it is new gets the code's session, and is corrected by the device;
    what it says opens no right, no platform and no other person."""
    phone = app()
    phone.redeem(code_of(pia), platform="android", model="<b>Pixel</b>", os_version="99")
    enrollment = phone.begin()
    assert enrollment["state"] == "not_ready"
    phone.of(enrollment, "profile")
    assert phone.status == 503
    assert not OneTimeSecret.objects.filter(purpose="profile").exists()
    row = ClientInstallation.objects.get()
    assert (row.user, row.platform) == (pia, "android")


def test_whoever_asks_for_a_pin_too_often_on_either_plane_is_told_to_wait(pia, own):
    UserSettings.objects.update(require_pin=True)
    page = own.get(me("me-device-add")).content.decode()
    csrf = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)[1]
    codes = [
        own.post(me("me-pin-request"), {"csrfmiddlewaretoken": csrf}).status_code for _ in range(2)
    ]
    assert codes == [302, 429]

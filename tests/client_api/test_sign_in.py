"""Signing in from a client app: by password, PIN or code; one answer for every stranger."""

from __future__ import annotations

import threading

import pytest
from django.db import connections

from accounts.models import UserSettings
from accounts.services import users
from core.models import HistoryEntry
from enrollment.models import ClientInstallation, EnrollmentSession
from enrollment.services import installations, limits, pins, qr
from tests import factories
from tests.client_api.conftest import App
from tests.enrollment.conftest import PASSWORD

pytestmark = pytest.mark.django_db


def code_for(user):
    return qr.issue(user=user, actor=user.person_actor).url


def test_a_password_gives_a_token_that_is_kept_as_a_hash(app, user):
    phone = app()
    answer = phone.sign_in(user.email)
    assert phone.status == 201
    assert answer["installation"]["person"] == "Pia"
    row = ClientInstallation.objects.get()
    assert answer["token"] not in str(ClientInstallation.objects.values().get())
    assert row.user == user
    assert HistoryEntry.objects.filter(action="enrollment.client.signed_in").count() == 1
    assert phone.begin()["state"] == "waiting"


def test_every_stranger_gets_the_same_answer(app, tenant, user):
    factories.user(tenant, email="gone@acme.test", is_active=False)
    factories.user(tenant, password=None, email="none@acme.test")
    answers = set()
    for email in (user.email, "nobody@acme.test", "gone@acme.test", "none@acme.test", "no address"):
        phone = app(ip="203.0.113.77")
        phone.sign_in(email, "wrong")
        answers.add((phone.status, phone.answer.content))
    assert len(answers) == 1
    assert phone.code == "sign_in_refused"
    assert ClientInstallation.objects.count() == 0


def test_a_pin_signs_in_once_and_asks_for_a_password(app, tenant):
    newcomer = factories.user(tenant, password=None, email="nina.new@acme.test")
    pin = pins.issue(user=newcomer, actor=newcomer.actor).digits
    phone, second = app(), app()
    phone.sign_in(newcomer.email, pin)
    assert phone.status == 201
    second.sign_in(newcomer.email, pin)
    assert second.code == "sign_in_refused"
    enrollment = phone.begin()
    assert (enrollment["state"], enrollment["needs"]) == ("not_confirmed", "new_password")
    phone.of(enrollment, "profile")
    assert phone.status == 409
    phone.of(enrollment, "password", {"password": "short"})
    assert phone.status == 400
    assert phone.of(enrollment, "password", {"password": PASSWORD})["needs"] == ""
    assert phone.of(enrollment, "profile")["profile"]["url"]
    assert phone.status == 201


def test_policy_may_ask_for_a_pin_beside_the_password(app, tenant, user):
    UserSettings.objects.filter(tenant=tenant).update(require_pin=True)
    pin = pins.issue(user=user, actor=user.actor).digits
    phone = app()
    phone.sign_in(user.email)
    enrollment = phone.begin()
    assert enrollment["needs"] == "pin"
    phone.of(enrollment, "profile")
    assert phone.code == "wrong_step"
    phone.of(enrollment, "proof", {"kind": "pin", "secret": "0" * len(pin)})
    assert phone.status == 400
    assert phone.of(enrollment, "proof", {"kind": "pin", "secret": pin})["needs"] == ""


def test_half_a_proof_begins_nothing_else(app, tenant, user):
    UserSettings.objects.filter(tenant=tenant).update(require_pin=True)
    phone = app()
    phone.sign_in(user.email)
    phone.post("re-enroll/", {"confirmed": True})
    assert phone.code == "sign_in_again"


def test_a_code_signs_in_without_typing(app, user):
    phone = app()
    answer = phone.redeem(code_for(user))
    assert phone.status == 201
    assert answer["installation"]["person"] == "Pia"
    enrollment = phone.begin()
    assert (enrollment["state"], enrollment["needs"]) == ("waiting", "")
    assert qr.newest(user).state == "used"


def test_a_code_works_once_for_app_and_camera_together(app, user):
    url = code_for(user)
    app().redeem(url)
    second = app()
    second.redeem(url.rpartition("/")[2])
    assert (second.status, second.code) == (410, "code_used")
    assert "used already, by an iPhone" in second.answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("device", "words"),
    [
        ({"os_version": "13.7"}, "from iOS 14 on"),
        ({"platform": "android", "os_version": "8.1"}, "from Android 9 on"),
    ],
)
def test_older_systems_are_told_what_to_do_and_the_code_stays_good(app, user, device, words):
    url = code_for(user)
    old = app()
    old.redeem(url, **device)
    assert old.code == "system_too_old"
    assert words in old.answer.json()["error"]["message"]
    new = app()
    new.redeem(url)
    assert new.status == 201


@pytest.mark.parametrize("change", ["disabled", "password", "signed_out"])
def test_a_token_ends_with_what_it_rests_on(signed_in_app, user, change):
    phone = signed_in_app
    phone.call("GET", "installation/")
    assert phone.status == 200
    if change == "disabled":
        users.set_enabled(user=user, enabled=False, actor=user.actor)
    elif change == "password":
        users.set_password(user=user, password=PASSWORD, actor=user.actor)
    else:
        phone.call("DELETE", "installation/")
        assert phone.status == 204
    phone.call("GET", "installation/")
    assert (phone.status, phone.code) == (401, "not_authenticated")


def test_tokens_of_one_plane_mean_nothing_on_the_other(signed_in_app, app, owner, device):
    phone = signed_in_app
    phone.call("GET", "/api/v1/devices/")
    assert phone.status == 401
    _row, text = factories.token(owner)
    automation = app()
    automation.token = text
    for path in ("installation/", "enrollments/"):
        automation.call("GET" if path.startswith("i") else "POST", path)
        assert automation.status == 401


def test_a_person_has_twenty_apps_at_most(app, user, monkeypatch):
    monkeypatch.setattr(installations, "MAX_PER_PERSON", 2)
    phones = [app() for _ in range(3)]
    for phone in phones:
        phone.sign_in(user.email)
    statuses = []
    for phone in phones:
        phone.call("GET", "installation/")
        statuses.append(phone.status)
    assert statuses == [401, 200, 200]


def test_wrong_passwords_lock_the_account(app, user):
    phone = app()
    for _try in range(limits.ACCOUNT_TRIES + 1):
        phone.sign_in(user.email, "wrong")
    assert (phone.status, phone.code) == (429, "too_many_tries")
    assert int(phone.answer["Retry-After"]) > 0


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"email": "a@b.test", "secret": "x"},
        {"email": "a@b.test", "secret": "x", "device": {"platform": "toaster"}},
        {"email": "a@b.test", "secret": "x", "device": {"platform": "iphone", "root": True}},
        {
            "email": "a@b.test",
            "secret": "x",
            "device": {"platform": "iphone", "os_version": "18.6\nX: 1"},
        },
        {"email": "a" * 300, "secret": "x", "device": {"platform": "iphone"}},
        {"email": "a@b.test", "secret": "x" * 2000, "device": {"platform": "iphone"}},
        [],
        b"{",
        b'{"email": ' + b"[" * 3000,
    ],
)
def test_what_is_no_sign_in_is_refused_in_one_shape(app, tenant, body):
    phone = app()
    phone.post("sign-in/", body)
    assert phone.status == 400
    assert set(phone.answer.json()["error"]) <= {"code", "message", "fields"}


@pytest.mark.django_db(transaction=True)
def test_the_same_pin_typed_on_two_phones_at_once_lets_one_in(platform):
    tenant = factories.tenant("acme")
    newcomer = factories.user(tenant, password=None)
    pin = pins.issue(user=newcomer, actor=newcomer.actor).digits
    barrier, answers = threading.Barrier(2), []

    def type_it(ip):
        phone = App(ip=ip)
        barrier.wait(timeout=30)
        try:
            phone.sign_in(newcomer.email, pin)
            answers.append((phone.status, phone.answer.json().get("error", {}).get("code")))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=type_it, args=(f"203.0.113.{n}",)) for n in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sorted(answers, key=str) == [(201, None), (400, "sign_in_refused")]
    assert EnrollmentSession.objects.count() == ClientInstallation.objects.count() == 1

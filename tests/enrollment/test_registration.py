"""The steps of the pages: who gets on, who does not, and what a browser proves."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from django.conf import settings

from accounts.models import User, UserSettings
from core import clock
from core.models import HistoryEntry
from enrollment.models import (
    EnrollmentSession,
    Invitation,
    InvitationStatus,
    SessionOutcome,
    SessionStage,
    StoppedReason,
)
from enrollment.services import limits, pins, sessions
from tests import factories
from tests.enrollment.conftest import ADMIN, IPHONE, MAC, PASSWORD, WINDOWS

pytestmark = pytest.mark.django_db
COOKIE = settings.GO_COOKIE_NAME


def test_people_with_a_password_go_straight_on(tenant, invited, pages):
    factories.user(tenant, email="has@acme.test")
    _invitation, letter = invited("has@acme.test")
    page = pages().open(letter.link).send("start")
    assert page.step == "sign-in"
    assert 'name="email"' not in page.html
    assert page.send("sign-in", password="wrong").step == "sign-in"
    assert page.response.status_code == 400
    assert "This password is not correct." in page.errors
    assert page.send("sign-in", password=factories.PASSWORD).step == "profile"


def test_a_policy_asks_for_the_pin_and_the_password(tenant, invited, pages):
    UserSettings.objects.update(require_pin=True)
    factories.user(tenant, email="has@acme.test")
    _invitation, letter = invited("has@acme.test")
    page = pages().open(letter.link).send("start")
    assert page.send("pin", pin=letter.pin).step == "sign-in"
    assert page.send("sign-in", password=factories.PASSWORD).step == "profile"


def test_a_temporary_password_is_changed_first(tenant, invited, pages):
    factories.user(tenant, email="temp@acme.test", must_change_password=True)
    _invitation, letter = invited("temp@acme.test")
    page = pages().open(letter.link).send("start").send("sign-in", password=factories.PASSWORD)
    assert page.step == "password"
    assert page.send("profile").step == "password", "the step cannot be left out"
    assert page.send("password", password1=PASSWORD, password2=PASSWORD).step == "profile"
    assert not User.objects.get(email="temp@acme.test").must_change_password


def test_the_pin_page_tells_what_is_wrong(invited, pages):
    _invitation, letter = invited()
    page = pages().open(letter.link).send("start")
    for typed, said in (
        ("", "Enter the PIN"),
        ("123", "too short"),
        ("1234567890", "too long"),
        ("12ab", "digits only"),
    ):
        page.send("pin", pin=typed)
        assert page.response.status_code == 400
        assert said in page.errors
        assert "Error:" in page.html.split("</title>")[0]
    assert letter.pin not in page.html


def test_a_void_pin_is_replaced_with_one_tap(invited, pages, mails):
    _invitation, letter = invited()
    page = pages().open(letter.link).send("start")
    other = "00000000" if letter.pin != "00000000" else "11111111"
    for _number in range(5):
        page.send("pin", pin=other)
    assert "void" in page.errors
    with time_machine.travel(clock.now() + dt.timedelta(minutes=2)):
        page.send("request-pin")
        assert "on its way" in page.html
        newest = mails()[-1]
        assert newest.pin != letter.pin
        assert page.send("pin", pin=newest.pin).step == "password"


def test_a_new_pin_can_be_asked_for_only_now_and_then(invited, pages, mails):
    _invitation, letter = invited()
    page = pages().open(letter.link).send("start")
    assert "on its way" in page.send("request-pin").html
    assert page.send("request-pin").response.status_code == 429
    assert "a moment ago" in page.errors
    assert len(mails()) == 2


def test_an_organisation_may_give_out_pins_itself(invited, pages, mails):
    UserSettings.objects.update(may_request_pin=False)
    _invitation, letter = invited()
    page = pages().open(letter.link).send("start")
    assert "Send me a new PIN" not in page.html
    assert page.send("request-pin").response.status_code == 403
    assert len(mails()) == 1


@pytest.mark.parametrize(
    ("one", "two", "said"),
    [
        (PASSWORD, PASSWORD + "x", "not the same"),
        ("short", "short", "too short"),
        ("password123", "password123", "too common"),
        ("8264 0193 755128", "8264 0193 755128", "digits only"),
        ("pia.person@acme", "pia.person@acme", "too similar"),
        ("acme aerospace 1", "acme aerospace 1", "name of the organisation"),
        ("x" * 300, "x" * 300, "longer than 256"),
    ],
)
def test_a_bad_password_is_refused_with_its_reason(invited, pages, one, two, said):
    """S-57."""
    _invitation, letter = invited()
    page = pages().open(letter.link).send("start").send("pin", pin=letter.pin)
    page.send("password", password1=one, password2=two)
    assert page.response.status_code == 400
    assert said in page.errors
    assert page.step == "password"


def test_the_pin_never_becomes_the_password(invited, pages):
    UserSettings.objects.update(pin_length=12)
    _invitation, letter = invited()
    page = pages().open(letter.link).send("start").send("pin", pin=letter.pin)
    page.send("password", password1=letter.pin, password2=letter.pin)
    assert page.step == "password"
    assert not User.objects.get(email="pia.person@acme.test").has_usable_password()


def test_a_long_pasted_password_is_accepted(invited, pages):
    _invitation, letter = invited()
    page = pages().open(letter.link).send("start").send("pin", pin=letter.pin)
    long = "ü correct horse battery " * 8
    assert page.send("password", password1=long, password2=long).step == "profile"
    assert User.objects.get(email="pia.person@acme.test").check_password(long)


def test_what_a_body_claims_about_the_person_is_ignored(tenant, other_tenant, invited, pages):
    """S-55."""
    invitation, letter = invited()
    claims = {
        "email": "eve@evil.test",
        "user": "1",
        "tenant": str(other_tenant.pk),
        "role": "owner",
        "is_staff": "1",
        "is_superuser": "1",
        "roles": "owner",
    }
    page = pages().open(letter.link).send("start", **claims).send("pin", pin=letter.pin, **claims)
    page.send("password", password1=PASSWORD, password2=PASSWORD, **claims)
    session = EnrollmentSession.objects.get()
    assert (session.user, session.tenant) == (invitation.user, tenant)
    assert not session.user.roles.exists()
    assert User.objects.get(pk=session.user_id).email == "pia.person@acme.test"


def test_a_link_alone_gets_nobody_to_a_profile(invited, pages, platform):
    _invitation, letter = invited()
    page = pages().open(letter.link).send("start")
    for step in ("profile", "password", "sign-in"):
        assert page.send(step, password=PASSWORD, password1=PASSWORD, password2=PASSWORD).step in (
            "pin",
        )
    assert platform.challenges == []


def test_the_same_link_goes_on_where_the_browser_stopped(invited, pages):
    _invitation, letter = invited()
    page = pages().open(letter.link).send("start").send("pin", pin=letter.pin)
    assert page.open(letter.link).step == "password"
    assert page.open("/go").step == "password"
    page.send("password", password1=PASSWORD, password2=PASSWORD)
    assert page.open(letter.link).step == "profile"
    assert EnrollmentSession.objects.count() == 1
    # Beginning again in the same browser is the same attempt.
    assert page.send("start").step == "profile"
    assert EnrollmentSession.objects.count() == 1


def test_another_browser_begins_again(invited, pages):
    _invitation, letter = invited()
    pages().open(letter.link).send("start").send("pin", pin=letter.pin)
    other = pages().open(letter.link)
    assert other.step == "start"
    assert other.send("start").step == "pin"
    other.send("pin", pin=letter.pin)
    assert "used already" in other.errors


def test_each_proof_gets_a_new_cookie_and_the_old_one_is_dead(invited, pages):
    """S-69: a cookie that somebody planted is worth nothing after the sign-in."""
    _invitation, letter = invited()
    page = pages().open(letter.link).send("start")
    planted = page.client.cookies[COOKIE].value
    page.send("pin", pin=letter.pin)
    fresh = page.client.cookies[COOKIE].value
    assert fresh != planted
    thief = pages()
    thief.client.cookies[COOKIE] = planted
    assert thief.open(letter.link).step == "start"


def test_a_cookie_of_our_own_choice_is_never_adopted(invited, pages):
    _invitation, letter = invited()
    page = pages()
    page.client.cookies[COOKIE] = "mine"
    page.open(letter.link).send("start")
    assert page.client.cookies[COOKIE].value != "mine"
    assert not EnrollmentSession.objects.filter(browser_hash="mine").exists()


def test_the_cookie_is_hidden_from_scripts_and_other_sites(invited, pages, settings):
    _invitation, letter = invited()
    page = pages().open(letter.link).send("start")
    cookie = page.client.cookies[COOKIE]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")
    assert not cookie["secure"]
    settings.SESSION_COOKIE_SECURE = True
    page = pages().open(letter.link).send("start")
    assert page.client.cookies[COOKIE]["secure"]


def test_the_cookie_is_worthless_in_the_portal_and_the_other_way_round(
    invited, pages, signed_in, admin
):
    """S-71."""
    _invitation, letter = invited()
    page = pages().open(letter.link).send("start").send("pin", pin=letter.pin)
    portal = page.client.get("/invitations/")
    assert portal.status_code == 302
    page.client.cookies[settings.SESSION_COOKIE_NAME] = page.client.cookies[COOKIE].value
    assert page.client.get("/invitations/").status_code == 302
    client = signed_in(admin)
    client.cookies[COOKIE] = client.cookies[settings.SESSION_COOKIE_NAME].value
    assert client.get("/go/status").status_code == 404


def test_somebody_elses_attempt_is_not_shown_on_my_link(invited, pages):
    _one, first = invited("one@acme.test")
    _two, second = invited("two@acme.test")
    page = pages().open(first.link).send("start").send("pin", pin=first.pin)
    assert page.open(second.link).step == "start"


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"content_type": "text/plain"}, 403),
        ({"headers": {"origin": "https://evil.test"}}, 403),
        ({}, 403),
    ],
)
def test_a_post_without_our_token_does_nothing(invited, pages, options, status):
    """S-72."""
    _invitation, letter = invited()
    data = "step=start" if "content_type" in options else {"step": "start"}
    answer = pages().client.post(letter.link, data, **options)
    assert answer.status_code == status
    assert not EnrollmentSession.objects.exists()


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_other_methods_are_refused(invited, pages, method):
    _invitation, letter = invited()
    assert getattr(pages().client, method)(letter.link).status_code in (403, 405)


def test_an_unknown_step_is_answered_with_the_step_that_is_due(invited, pages):
    _invitation, letter = invited()
    page = pages().open(letter.link).send("install-everything")
    assert page.response.status_code == 409
    assert page.step == "start"


@pytest.mark.parametrize(("agent", "step"), [(IPHONE, "start"), (MAC, "start"), (WINDOWS, "")])
def test_the_device_is_recognised(invited, pages, agent, step):
    _invitation, letter = invited()
    page = pages(agent).open(letter.link)
    assert page.step == step
    assert ("m-qr" in page.html) == (agent == WINDOWS)


def test_a_wrong_guess_can_always_be_corrected(invited, pages):
    _invitation, letter = invited()
    page = pages(WINDOWS).open(letter.link)
    assert f"{page.path}?device=ipad" in page.html
    page.open(f"{letter.link}?device=ipad")
    assert page.step == "start"
    page.path = letter.link
    page.send("start", device="ipad")
    assert EnrollmentSession.objects.get().platform == "ipad"


def test_a_touch_screen_makes_a_mac_an_ipad(invited, pages):
    _invitation, letter = invited()
    pages(MAC).open(letter.link).send("start", touch="5")
    assert EnrollmentSession.objects.get().platform == "ipad"


def test_the_link_can_be_sent_to_the_phone(invited, pages, mails):
    _invitation, letter = invited()
    page = pages(WINDOWS).open(letter.link).send("send-link", email="eve@evil.test")
    assert "on its way" in page.html
    newest = mails()[-1]
    assert (newest.to, newest.pin) == ("pia.person@acme.test", "")
    assert newest.link != letter.link
    assert pages().open(newest.link).step == "start"
    assert page.send("send-link").response.status_code == 429


def test_what_is_not_possible_yet_is_said_at_once(invited, pages, platform):
    platform.reason = "Registration of Apple devices is not enabled yet. Ask Adam."
    _invitation, letter = invited()
    page = pages().open(letter.link)
    assert "Ask Adam." in page.errors
    assert page.step == ""
    assert pages().open("/go").step == ""


def test_refused_for_good_the_person_can_begin_again(confirmed, pages):
    page, session = confirmed()
    sessions.refuse(session, StoppedReason.DEVICE_LIMIT, actor=ADMIN)
    assert "as many registered devices" in page.open(page.path).html
    assert page.step == "start"
    assert page.send("start").step == "sign-in"
    assert EnrollmentSession.objects.count() == 2


def test_an_attempt_ends_a_day_after_its_last_step(invited, pages):
    _invitation, letter = invited()
    page = pages().open(letter.link).send("start").send("pin", pin=letter.pin)
    session = EnrollmentSession.objects.get()
    assert session.expires_at - clock.now() > dt.timedelta(hours=23, minutes=59)
    sessions.end(session, SessionOutcome.EXPIRED, StoppedReason.TIMED_OUT, actor=ADMIN)
    assert page.open(letter.link).step == "start"


def test_the_history_tells_the_story(confirmed):
    _page, session = confirmed()
    about = HistoryEntry.objects.about(session).order_by("id")
    assert [entry.action for entry in about] == [
        "enrollment.session.opened",
        "enrollment.session.authenticated",
    ]
    assert {entry.actor_label for entry in about} == {"pia.person@acme.test"}
    assert {entry.ip for entry in about} == {"203.0.113.7"}
    invitation = Invitation.objects.get()
    assert invitation.status == InvitationStatus.IN_PROGRESS
    entries = HistoryEntry.objects.about(invitation).order_by("id")
    assert [entry.action for entry in entries] == [
        "enrollment.invitation.sent",
        "enrollment.invitation.opened",
        "enrollment.invitation.in_progress",
    ]


def test_beginning_is_limited(invited, pages, monkeypatch):
    monkeypatch.setattr(limits, "STARTS_PER_INVITATION", 3)
    _invitation, letter = invited()
    for _number in range(3):
        pages().open(letter.link).send("start")
    page = pages().open(letter.link).send("start")
    assert page.response.status_code == 429
    assert EnrollmentSession.objects.count() == 3


def test_names_of_people_and_organisations_are_text(tenant, admin, invited, pages):
    """S-20, S-21."""
    nasty = '<svg onload="alert(1)">'
    type(tenant).objects.update(name=nasty, help_contact=nasty)
    type(admin).objects.filter(pk=admin.pk).update(first_name=nasty)
    admin.refresh_from_db()
    _invitation, letter = invited()
    assert nasty not in letter.html
    page = pages().open(letter.link)
    assert nasty not in page.html
    assert "&lt;svg onload" in page.html
    assert nasty not in page.open("/go?sent=%3Csvg%20onload&device=%3Csvg").html


def test_the_pages_speak_french_when_asked(invited, pages):
    _invitation, letter = invited()
    page = pages().open(letter.link)
    assert 'lang="en"' in page.html
    page.send("language", language="fr")
    assert 'lang="fr"' in page.html
    assert 'lang="fr"' in page.open("/go").html
    assert page.send("language", language="xx").response.status_code == 200


def test_nothing_of_a_person_is_told_before_the_proof(invited, pages):
    invitation, letter = invited()
    page = pages().open(letter.link)
    page.send("start")
    assert invitation.user.email not in page.html
    assert "Pia" not in page.html


def test_a_browser_may_call_itself_anything(invited, pages):
    _invitation, letter = invited()
    page = pages(
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X)\x1b[31m\u202e" + "x" * 9000
    )
    page.open(letter.link).send("start", device="iphone")
    agent = EnrollmentSession.objects.get().user_agent
    assert agent.startswith("Mozilla/5.0 (iPhone")
    assert agent.isprintable()
    assert len(agent) <= 300


def test_a_pin_of_another_person_does_not_help(invited, pages, helpdesk):
    _invitation, letter = invited()
    digits = pins.issue(user=helpdesk, actor=ADMIN).digits
    page = pages().open(letter.link).send("start").send("pin", pin=digits)
    assert "not correct" in page.errors
    assert EnrollmentSession.objects.get().stage == SessionStage.OPENED

"""S-71, S-69: two planes with cookies of their own, each worthless on the other's pages."""

from __future__ import annotations

import datetime as dt

import pytest
from django.conf import settings as conf
from django.test import Client

from accounts.models import SessionAudience, UserSession
from accounts.services import sessions, users
from core import clock
from tests import factories
from tests.portal import me, path, sign_in_me

pytestmark = pytest.mark.django_db


def sign_in(client, user, password=factories.PASSWORD, where=None):
    return client.post(where or me("account_login"), {"login": user.email, "password": password})


def test_signing_in_sets_the_cookie_of_this_plane_only(client, person):
    answer = sign_in(client, person)
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/me/"
    assert conf.ME_COOKIE_NAME in answer.cookies
    assert conf.SESSION_COOKIE_NAME not in answer.cookies
    cookie = answer.cookies[conf.ME_COOKIE_NAME]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")
    row = UserSession.objects.get()
    assert (row.audience, row.user) == (SessionAudience.SELF_SERVICE, person)
    assert client.get("/me/").status_code == 200


@pytest.mark.parametrize(
    ("taken_as", "page", "sign_in_page"),
    [
        (conf.SESSION_COOKIE_NAME, "/devices/", "/sign-in/"),
        (conf.SESSION_COOKIE_NAME, "/", "/sign-in/"),
        (conf.ME_COOKIE_NAME, "/devices/", "/sign-in/"),
    ],
)
def test_a_key_of_self_service_opens_nothing_of_the_administrators(
    owner, settings, taken_as, page, sign_in_page
):
    settings.MUSTER_REQUIRE_ADMIN_MFA = False
    client = Client()
    key = sign_in_me(client, owner).session_key
    client.cookies.clear()
    client.cookies[taken_as] = key
    answer = client.get(page)
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith(sign_in_page)


@pytest.mark.parametrize("taken_as", [conf.SESSION_COOKIE_NAME, conf.ME_COOKIE_NAME])
def test_a_key_of_the_portal_opens_nothing_of_self_service(signed_in, owner, taken_as):
    key = signed_in(owner).session.session_key
    client = Client()
    client.cookies[taken_as] = key
    answer = client.get("/me/")
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/me/sign-in/")
    assert UserSession.objects.filter(session_key=key).exists()


def test_both_sessions_live_side_by_side(signed_in, owner):
    client = signed_in(owner)
    sign_in(client, owner)
    assert client.get("/me/").status_code == 200
    assert client.get("/devices/").status_code == 200
    client.post(me("account_logout"))
    assert client.get("/me/").status_code == 302
    assert client.get("/devices/").status_code == 200


def test_an_end_user_is_refused_at_the_administrators_door(client, person):
    answer = sign_in(client, person, where=path("account_login"))
    assert answer.status_code == 200
    assert not UserSession.objects.filter(user=person).exists()


def test_sign_in_gives_a_new_key(client, person):
    first = sign_in_me(client, factories.user(person.tenant)).session_key
    sign_in(client, person)
    client.post(me("account_logout"))
    sign_in(client, person)
    assert client.cookies[conf.ME_COOKIE_NAME].value != first


def test_unknown_wrong_and_disabled_people_get_the_same_answer(tenant, person):
    disabled = factories.user(tenant, email="d@acme.test", is_active=False)
    without = factories.user(tenant, email="w@acme.test", password=None)
    nobody = factories.user(tenant, email="gone@acme.test")
    nobody.delete()
    told = set()
    for user, password in (
        (person, "wrong password"),
        (disabled, factories.PASSWORD),
        (without, "anything"),
        (nobody, "anything"),
    ):
        answer = sign_in(Client(), user, password)
        text = answer.content.decode().replace(user.email, "")
        told.add((answer.status_code, text[text.index("There is a problem") :][:400]))
    assert len(told) == 1


def test_five_wrong_passwords_lock_both_doors(person, owner):
    for _ in range(5):
        sign_in(Client(), owner, "wrong password")
    assert "Too many failed" in sign_in(Client(), owner).content.decode()
    portal = sign_in(Client(), owner, where=path("account_login"))
    assert "Too many failed" in portal.content.decode()


def test_a_session_ends_a_day_after_the_sign_in_however_it_is_used(pia, person):
    row = UserSession.objects.get(user=person)
    assert row.expire_date <= row.created_at + dt.timedelta(days=1)
    UserSession.objects.update(
        created_at=clock.now() - dt.timedelta(hours=23), last_seen_at=clock.now()
    )
    pia.get(me("account_login") + "?next=/me/")
    pia.post(me("set-language"), {"language": "fr"})
    session = UserSession.objects.get(user=person)
    assert session.expire_date <= row.created_at + dt.timedelta(days=1)


def test_where_a_session_is_used_from_is_noted_once_a_minute(pia, person):
    before = clock.now() - dt.timedelta(minutes=5)
    UserSession.objects.update(last_seen_at=before, ip="192.0.2.1")
    pia.get("/me/", headers={"User-Agent": "Mozilla/5.0 Firefox/140.0"})
    row = UserSession.objects.get(user=person)
    assert row.last_seen_at > before
    assert (row.ip, row.user_agent) == ("127.0.0.1", "Mozilla/5.0 Firefox/140.0")


def test_disabling_ends_the_sessions_of_both_planes(pia, person, owner):
    users.set_enabled(user=person, enabled=False, actor=owner.actor)
    assert pia.get("/me/").status_code == 302
    assert not UserSession.objects.filter(user=person).exists()


def test_expired_sessions_are_swept(pia, person):
    other = sign_in_me(Client(), person)
    UserSession.objects.filter(session_key=other.session_key).update(
        expire_date=clock.now() - dt.timedelta(seconds=1)
    )
    assert sessions.forget_expired() == 1
    assert pia.get("/me/").status_code == 200


def test_a_temporary_password_is_changed_first(pia, person):
    person.must_change_password = True
    person.save()
    answer = pia.get("/me/")
    assert answer.headers["Location"] == "/me/account/password/"
    assert pia.get("/me/account/password/").status_code == 200


def test_an_administrators_second_factor_is_not_asked_for_here(owner, settings):
    settings.MUSTER_REQUIRE_ADMIN_MFA = True
    client = Client()
    sign_in_me(client, owner)
    assert client.get("/me/").status_code == 200


def test_the_address_without_a_slash_leads_here(pia):
    assert pia.get("/me").headers["Location"] == "/me/"


@pytest.mark.parametrize("page", ["/me/nothing/", "/me/devices/not-an-id/"])
def test_a_page_that_is_not_there_stays_in_its_frame(pia, page):
    answer = pia.get(page)
    assert answer.status_code == 404
    assert 'href="/me/"' in answer.content.decode()
    assert "/devices/" not in answer.content.decode().replace(page, "")

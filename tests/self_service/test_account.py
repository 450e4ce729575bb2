"""One's own account: name and language, password, where one is signed in."""

from __future__ import annotations

import pytest
from django.conf import settings as conf
from django.contrib.auth.tokens import default_token_generator
from django.test import Client

from accounts.models import SessionAudience, UserSession
from accounts.services import sessions
from enrollment.services import qr
from tests import factories
from tests.portal import history_of, me, path, sign_in_me, text

pytestmark = pytest.mark.django_db
NEW = "a much better passphrase"


def change_password(client, old=factories.PASSWORD, new=NEW):
    return client.post(
        me("account_change_password"),
        {"oldpassword": old, "password1": new, "password2": new},
    )


def test_names_language_and_time_zone_are_ones_own_to_change(pia, person):
    answer = pia.post(
        me("me-account"),
        {"first_name": "Pía", "last_name": "P", "language": "fr", "time_zone": "Europe/Paris"},
    )
    assert answer.status_code == 302
    person.refresh_from_db()
    assert (person.first_name, person.language) == ("Pía", "fr")
    assert "accounts.user.edited" in history_of(person)


def test_nothing_else_about_a_person_can_be_sent(pia, person):
    pia.post(
        me("me-account"),
        {"first_name": "Pia", "email": "boss@acme.test", "is_active": "", "roles": "1"},
    )
    person.refresh_from_db()
    assert person.email == "pia.person@acme.test"
    assert not person.roles.exists()


def test_an_unknown_time_zone_is_refused(pia):
    assert pia.post(me("me-account"), {"time_zone": "Mars/Olympus"}).status_code == 422


def test_the_language_is_switched_and_kept(pia, person):
    answer = pia.post(me("set-language"), {"language": "fr", "next": "/me/account/"})
    assert answer.headers["Location"] == "/me/account/"
    person.refresh_from_db()
    assert person.language == "fr"


def test_a_new_password_ends_everything_else(pia, person):
    elsewhere = Client()
    sign_in_me(elsewhere, person)
    code = qr.token_in(qr.issue(user=person, actor=person.person_actor).url)
    assert change_password(pia).status_code == 302
    assert pia.get("/me/").status_code == 200
    assert elsewhere.get("/me/").status_code == 302
    assert UserSession.objects.filter(user=person).count() == 1
    assert qr.look_up(code).state == "ended"


def test_the_old_password_is_asked_for(pia, person):
    answer = change_password(pia, old="not it")
    assert "Error" in text(answer)
    person.refresh_from_db()
    assert person.check_password(factories.PASSWORD)


def test_a_reset_link_dies_with_the_password(pia, person, settings):
    key = f"{default_token_generator.make_token(person)}"
    change_password(pia)
    person.refresh_from_db()
    assert not default_token_generator.check_token(person, key)


def test_a_reset_asked_for_here_leads_back_here(client, tenant):
    from core.models import OutboxMessage
    from core.services import delivery

    user = factories.user(tenant)
    client.post("/me/password/reset/", {"email": user.email})
    while delivery.sweep():
        pass
    [mail] = outbox_mails(OutboxMessage, user)
    assert f"{conf.MUSTER_PUBLIC_URL}/me/password/reset/" in mail


def outbox_mails(model, user) -> list[str]:
    from django.core import mail

    assert model.objects.filter(recipient=user.email, kind="mail", status="delivered").exists()
    return [one.body for one in mail.outbox if one.to == [user.email]]


def test_the_list_of_sessions_names_browser_place_and_plane(pia, person, signed_in):
    other = sign_in_me(Client(), person)
    UserSession.objects.filter(session_key=other.session_key).update(
        user_agent="Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        ip="192.0.2.7",
        audience=SessionAudience.PORTAL,
    )
    page = text(pia.get(me("account_sessions")))
    assert "Firefox · Linux" in page
    assert "192.0.2.7" in page
    assert "Administration" in page
    assert "this browser" in page
    for session in UserSession.objects.all():
        assert session.session_key not in page


def test_another_session_is_ended(pia, person):
    client = Client()
    other = sign_in_me(client, person)
    row = UserSession.objects.get(session_key=other.session_key)
    pia.post(me("account_session_end"), {"session": sessions.reference(row)})
    assert client.get("/me/").status_code == 302
    assert pia.get("/me/").status_code == 200
    assert "accounts.session.ended" in history_of(person)


def test_all_others_are_ended_on_both_planes(pia, owner, signed_in):
    client = signed_in(owner)
    third = Client()
    sign_in_me(third, owner)
    answer = client.post(path("account_session_end"), {"session": "others"})
    assert answer.headers["Location"] == path("account_sessions")
    assert third.get("/me/").status_code == 302
    assert client.get("/devices/").status_code == 200
    assert pia.get("/me/").status_code == 200


def test_nobody_ends_the_session_of_somebody_else(pia, colleague):
    client = Client()
    other = sign_in_me(client, colleague)
    row = UserSession.objects.get(session_key=other.session_key)
    pia.post(me("account_session_end"), {"session": sessions.reference(row)})
    pia.post(me("account_session_end"), {"session": other.session_key})
    pia.post(me("account_session_end"), {"session": "others"})
    assert client.get("/me/").status_code == 200


@pytest.mark.parametrize("name", ["me-account", "account_session_end", "account_change_password"])
def test_nothing_changes_without_the_token_of_the_form(person, name):
    client = Client(enforce_csrf_checks=True)
    sign_in_me(client, person)
    assert client.post(me(name), {"session": "others"}).status_code == 403


def test_confirming_gives_the_session_a_new_key(pia, person):
    before = pia.cookies[conf.ME_COOKIE_NAME].value
    answer = pia.post(me("account_reauthenticate") + "?next=/me/", {"password": factories.PASSWORD})
    assert answer.headers["Location"] == "/me/"
    after = pia.cookies[conf.ME_COOKIE_NAME].value
    assert after != before
    old = Client()
    old.cookies[conf.ME_COOKIE_NAME] = before
    assert old.get("/me/").status_code == 302


def test_the_switches_are_in_the_settings(signed_in, owner, tenant):
    client = signed_in(owner)
    page = text(client.get(path("settings-policy")))
    assert "people may wipe their own devices" in page.lower()

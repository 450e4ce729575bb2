"""Passkeys without a browser: hostile answers, whose they are, and what a passkey may not open."""

from __future__ import annotations

import json

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client

from core.models import OutboxMessage
from tests import factories
from tests.portal import confirm, history_of, me, path, sign_in_me, text
from tests.self_service.authenticator import SecurityKey, passkey

pytestmark = pytest.mark.django_db
HOSTILE = [
    "",
    "null",
    "[]",
    "7",
    '"text"',
    "{}",
    '{"response": []}',
    '{"response": {}}',
    '{"response": {"userHandle": 7}}',
    '{"response": {"userHandle": "!!!"}}',
    '{"id": [], "rawId": {}, "type": 7, "response": {"clientDataJSON": null}}',
    json.dumps(
        {
            "id": "AAAA",
            "rawId": "AAAA",
            "type": "public-key",
            "response": {
                "clientDataJSON": "AAAA",
                "attestationObject": "AAAA",
                "authenticatorData": "AAAA",
                "signature": "AAAA",
                "userHandle": "AAAA",
            },
        }
    ),
    "[" * 100_000,
    "x" * 30_000,
]


MINE = ("/me/sign-in/passkey/", "/me/sign-in/")
ADMINISTRATION = ("/sign-in/passkey/", "/sign-in/")


def question(client, door):
    answer = client.get(door, headers={"Accept": "application/json"})
    return answer.json()["request_options"]


def sign_in(client, key, doors=MINE, question_of=None):
    told = key.get(question_of or question(client, doors[0]))
    return client.post(doors[0], {"credential": json.dumps(told)})


@pytest.mark.parametrize("told", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("door", ["/me/sign-in/passkey/", "/sign-in/passkey/"])
def test_a_hostile_answer_signs_nobody_in(client, person, told, door):
    client.get(door, headers={"Accept": "application/json"})
    answer = client.post(door, {"credential": told})
    assert answer.status_code == 302
    assert answer.headers["Location"] == door.replace("passkey/", "")
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize("told", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_answer_adds_no_passkey(fresh_pia, told):
    fresh_pia.get(me("mfa_add_webauthn"))
    answer = fresh_pia.post(me("mfa_add_webauthn"), {"name": "Phone", "credential": told})
    assert answer.status_code == 200
    assert not Authenticator.objects.exists()


@pytest.mark.parametrize("told", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_answer_confirms_nothing(pia, person, told):
    page = me("mfa_reauthenticate_webauthn")
    passkey(person)
    pia.get(page)
    assert pia.post(page, {"credential": told}).status_code == 200
    assert pia.get(me("mfa_add_webauthn")).status_code == 302


def test_the_question_asks_for_a_key_that_checks_who_holds_it(fresh_pia):
    page = fresh_pia.get(me("mfa_add_webauthn"))
    asked = page.context["js_data"]["creation_options"]["publicKey"]
    chosen = asked["authenticatorSelection"]
    assert (chosen["residentKey"], chosen["userVerification"]) == ("required", "required")
    assert asked["rp"]["id"] == "testserver"


def test_adding_asks_who_it_is_first(pia):
    assert pia.get(me("mfa_add_webauthn")).headers["Location"].startswith("/me/account/confirm/")


@pytest.mark.parametrize("name", ["mfa_edit_webauthn", "mfa_remove_webauthn"])
def test_the_passkey_of_somebody_else_is_not_there(fresh_pia, colleague, name):
    key = passkey(colleague)
    assert fresh_pia.get(me(name, key.pk)).status_code == 404
    assert fresh_pia.post(me(name, key.pk), {"name": "Mine"}).status_code == 404
    key.refresh_from_db()
    assert key.data["name"] == "My phone"


def test_a_passkey_is_renamed_and_removed(fresh_pia, person):
    key = passkey(person)
    fresh_pia.post(me("mfa_edit_webauthn", key.pk), {"name": "Old phone"})
    assert "Old phone" in text(fresh_pia.get(me("mfa_index")))
    answer = fresh_pia.post(me("mfa_remove_webauthn", key.pk), follow=True)
    assert "Old phone" not in text(answer)
    assert "accounts.passkey.removed" in history_of(person)
    assert OutboxMessage.objects.filter(recipient=person.email).exists()
    assert not Authenticator.objects.exists()


def test_a_name_has_an_end(fresh_pia, person):
    key = passkey(person)
    answer = fresh_pia.post(me("mfa_edit_webauthn", key.pk), {"name": "x" * 61})
    assert answer.status_code == 200
    assert "Error" in text(answer)


def test_removing_asks_who_it_is_first(pia, person):
    key = passkey(person)
    answer = pia.post(me("mfa_remove_webauthn", key.pk))
    assert answer.headers["Location"].startswith("/me/account/confirm/")
    assert Authenticator.objects.filter(pk=key.pk).exists()


def test_a_passkey_is_the_second_factor_of_an_administrator(client, owner, settings):
    settings.MUSTER_REQUIRE_ADMIN_MFA = True
    client.force_login(owner, backend="accounts.backends.PortalBackend")
    confirm(client)
    assert client.get("/").headers["Location"] == path("mfa_activate_totp")
    assert client.get(path("mfa_add_webauthn")).status_code == 200
    passkey(owner)
    assert client.get("/").status_code == 200


def test_who_may_enter_is_asked_of_passkeys_too(person, owner):
    from accounts.backends import may_enter

    assert not may_enter(person, "portal")
    assert may_enter(person, "me")
    assert may_enter(owner, "portal")
    owner.is_active = False
    assert not may_enter(owner, "me")
    assert not may_enter(owner, "portal")


def test_there_is_an_end_to_how_many(person):
    from accounts import passkeys

    for number in range(passkeys.MAX_PASSKEYS):
        passkey(person, f"Key {number}")
    client = Client()
    sign_in_me(client, person, is_recent=True)
    answer = client.get(me("mfa_add_webauthn"), follow=True)
    assert "as many passkeys as can be kept" in text(answer)
    assert answer.redirect_chain


def test_a_stranger_keeps_their_own(fresh_pia, stranger):
    passkey(stranger, "Stan's key")
    assert "Stan" not in text(fresh_pia.get(me("mfa_index")))


def test_a_passkey_is_added_and_signs_in_on_both_planes(fresh_pia, owner, person):
    key = SecurityKey()
    asked = fresh_pia.get(me("mfa_add_webauthn")).context["js_data"]["creation_options"]
    told = json.dumps(key.create(asked))
    answer = fresh_pia.post(me("mfa_add_webauthn"), {"name": "Phone", "credential": told})
    assert answer.headers["Location"] == me("mfa_view_recovery_codes")
    assert "accounts.passkey.added" in history_of(person)
    assert OutboxMessage.objects.filter(recipient=person.email).exists()
    client = Client()
    assert sign_in(client, key).headers["Location"] == "/me/"
    assert client.get("/me/").status_code == 200


def test_a_passkey_of_an_administrator_opens_the_portal(client, owner):
    key = SecurityKey()
    passkey(owner, key=key)
    assert sign_in(client, key, ADMINISTRATION).headers["Location"] == "/"
    assert client.get("/devices/").status_code == 200
    assert client.get("/me/").status_code == 302


def test_a_passkey_of_an_end_user_does_not_open_the_portal(client, person):
    key = SecurityKey()
    passkey(person, key=key)
    assert sign_in(client, key, ADMINISTRATION).headers["Location"] == "/sign-in/"
    assert "_auth_user_id" not in client.session
    assert "cannot sign in here" in text(client.get("/sign-in/"))


def test_a_disabled_person_has_no_passkey(client, person):
    key = SecurityKey()
    passkey(person, key=key)
    person.is_active = False
    person.save()
    assert sign_in(client, key).headers["Location"] == "/me/sign-in/"
    assert client.get("/me/").status_code == 302


@pytest.mark.parametrize(
    "wrong",
    [
        {"origin": "https://evil.test"},
        {"origin": "http://testserver"},
        {"rp": "evil.test"},
        {"verifies": False},
    ],
)
def test_a_passkey_for_another_site_or_without_its_holder_is_refused(client, person, wrong):
    key = SecurityKey(**wrong)
    passkey(person, key=key)
    assert sign_in(client, key).headers["Location"] == "/me/sign-in/"
    assert client.get("/me/").status_code == 302


def test_another_key_with_the_same_name_is_refused(client, person):
    known, other = SecurityKey(), SecurityKey()
    passkey(person, key=known)
    other.id, other.handle = known.id, known.handle
    assert sign_in(client, other).headers["Location"] == "/me/sign-in/"


def test_an_answer_is_good_once_and_in_its_own_session(client, person):
    key = SecurityKey()
    passkey(person, key=key)
    told = json.dumps(key.get(question(client, MINE[0])))
    stranger = Client()
    question(stranger, MINE[0])
    assert stranger.post(MINE[0], {"credential": told}).headers["Location"] == "/me/sign-in/"
    assert client.post(MINE[0], {"credential": told}).headers["Location"] == "/me/"
    client.post(me("account_logout"))
    assert client.post(MINE[0], {"credential": told}).headers["Location"] == "/me/sign-in/"


def test_a_passkey_confirms_that_it_is_you(pia, person):
    key, page = SecurityKey(), me("mfa_reauthenticate_webauthn")
    passkey(person, key=key)
    asked = pia.get(page + "?next=/me/account/passkeys/add/").context["js_data"]["request_options"]
    told = {"credential": json.dumps(key.get(asked)), "next": "/me/account/passkeys/add/"}
    assert pia.post(page, told).headers["Location"] == "/me/account/passkeys/add/"
    assert pia.get(me("mfa_add_webauthn")).status_code == 200


def test_after_the_password_the_passkey_is_the_second_step(client, person):
    key = SecurityKey()
    passkey(person, key=key)
    signed = {"login": person.email, "password": factories.PASSWORD}
    assert client.post("/me/sign-in/", signed).headers["Location"] == "/me/sign-in/code/"
    assert client.get("/me/").status_code == 302
    asked = client.get("/me/sign-in/code/").context["js_data"]["request_options"]
    answer = client.post("/me/sign-in/code/", {"credential": json.dumps(key.get(asked))})
    assert answer.headers["Location"] == "/me/"

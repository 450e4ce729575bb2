from __future__ import annotations

import datetime as dt

import pytest

from accounts.access import READY_MADE_ROLES
from accounts.models import Role
from accounts.services import tenants
from core import clock
from core.models import HistoryEntry, OneTimeSecret, OutboxMessage
from enrollment.services import pins
from tests import factories
from tests.portal import confirm, history_of, path, text

pytestmark = pytest.mark.django_db


def made(client, person):
    confirm(client)
    return client.post(path("invitations:pin-make", person.pk))


def test_a_pin_is_shown_once_works_and_is_mailed_to_nobody(signed_in, helpdesk, person):
    client = signed_in(helpdesk)
    response = made(client, person)
    digits = response.context["pin"].digits
    assert response.context["digits"] in response.content.decode()
    assert "no-store" in response.headers["Cache-Control"]
    assert not OutboxMessage.objects.exists()
    assert digits not in text(client.get(path("user-detail", person.pk)))
    pins.verify(user=person, typed=digits, actor=person.person_actor)


def test_it_is_written_and_its_digits_are_kept_nowhere(signed_in, admin, person):
    digits = made(signed_in(admin), person).context["pin"].digits
    assert history_of(person) == ["enrollment.pin.issued", "enrollment.pin.revealed"]
    kept = [str(row.data) for row in HistoryEntry.objects.all()]
    kept += [f"{row.hash} {row.data}" for row in OneTimeSecret.objects.all()]
    assert not [line for line in kept if digits in line]


def test_it_asks_for_a_recent_sign_in_and_looking_makes_none(signed_in, helpdesk, person):
    client, where = signed_in(helpdesk), path("invitations:pin-make", person.pk)
    assert client.post(where).url.startswith(path("account_reauthenticate"))
    confirm(client)
    assert "mailed to nobody" in text(client.get(where))
    assert pins.info(person) is None


def test_nobody_sees_a_pin_of_somebody_who_may_more(signed_in, helpdesk, tenant):
    boss = factories.user(tenant, "owner", password=None)
    response = made(signed_in(helpdesk), boss)
    assert response.status_code == 403
    assert "Send it by mail instead." in text(response)
    assert pins.info(boss) is None


def test_an_auditor_makes_none(signed_in, auditor, person):
    assert made(signed_in(auditor), person).status_code == 403
    assert "Make a PIN" not in text(signed_in(auditor).get(path("user-detail", person.pk)))


def test_a_disabled_person_gets_none(signed_in, admin, tenant):
    gone = factories.user(tenant, is_active=False)
    assert made(signed_in(admin), gone).status_code == 409


def test_the_page_of_a_person_tells_what_is_known_of_the_pin(signed_in, admin, person, monkeypatch):
    client, where = signed_in(admin), path("user-detail", person.pk)
    assert "<dt>PIN</dt><dd> none" in text(client.get(where))
    digits = made(client, person).context["pin"].digits
    assert "<dt>PIN</dt><dd> valid, expires" in text(client.get(where))
    pins.verify(user=person, typed=digits, actor=person.person_actor)
    assert "<dt>PIN</dt><dd> used" in text(client.get(where))
    made(client, person)
    later = clock.now() + dt.timedelta(days=4)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert pins.info(person).state == "expired"


def test_a_pin_is_void_after_wrong_tries_or_a_new_address(person):
    pins.issue(user=person, actor=person.actor)
    OneTimeSecret.objects.update(attempts=pins.MAX_ATTEMPTS)
    assert pins.info(person).state == "tries"
    OneTimeSecret.objects.update(attempts=0)
    person.email = "pia.other@acme.test"
    assert pins.info(person).state == "void"


def test_the_api_makes_a_pin_and_tells_of_it(client, helpdesk, person):
    _row, token = factories.token(helpdesk)
    headers, where = {"Authorization": f"Bearer {token}"}, f"/api/v1/users/{person.pk}/pin/"
    assert client.get(where, headers=headers).json()["state"] == "none"
    answer = client.post(where, headers=headers)
    assert answer.status_code == 201
    pins.verify(user=person, typed=answer.json()["pin"], actor=person.person_actor)
    assert client.get(where, headers=headers).json()["state"] == "used"
    assert "pin" not in client.get(where, headers=headers).json()


def test_a_token_without_the_right_makes_none(client, helpdesk, person):
    _row, token = factories.token(helpdesk, "users.view")
    headers, where = {"Authorization": f"Bearer {token}"}, f"/api/v1/users/{person.pk}/pin/"
    assert client.post(where, headers=headers).status_code == 403


def test_the_right_reaches_the_roles_of_a_server_that_was_there_before(tenant, monkeypatch):
    Role.objects.filter(tenant=tenant).update(permissions=["users.view"])
    factories.with_keys(tenant, monkeypatch)
    tenants.found(name=tenant.name, slug=tenant.slug)
    holders = Role.objects.filter(tenant=tenant, permissions__icontains="users.reveal_pin")
    expected = {role.key for role in READY_MADE_ROLES if "users.reveal_pin" in role.permissions}
    assert (
        set(holders.values_list("key", flat=True))
        == expected
        == {
            "owner",
            "administrator",
            "helpdesk",
        }
    )

from __future__ import annotations

import datetime as dt

import pytest
from django.db import DatabaseError

from core import clock
from core.models import OutboxMessage
from devices.models import DeviceContact
from enrollment.models import EnrollmentSession
from tests import factories
from tests.portal import text

pytestmark = pytest.mark.django_db


def test_every_number_leads_to_as_many_rows(signed_in, admin, tenant, person):
    for state in ("active", "active", "retire_pending", "retired"):
        factories.device(tenant, person, state=state)
    EnrollmentSession.objects.create(
        tenant=tenant, user=person, expires_at=clock.now() + dt.timedelta(hours=1)
    )
    client = signed_in(admin)
    home = client.get("/")
    stats = [home.context[name] for name in ("stat_devices", "stat_sessions", "stat_invitations")]
    assert [stat["value"] for stat in stats] == [2, 1, 0]
    assert [bar["value"] for bar in home.context["bars"]] == [3]
    for stat in [*stats, *home.context["states"], *home.context["bars"]]:
        shown = client.get(stat["url"]).context["table"].paginator.count
        assert shown == stat.get("value") or shown == stat.get("count")


def test_others_devices_are_not_counted(signed_in, admin, foreign_device):
    home = signed_in(admin).get("/")
    assert home.context["stat_devices"]["value"] == 0
    assert home.context["bars"] == []


def test_what_needs_attention_is_said_in_words(signed_in, admin, tenant, device):
    DeviceContact.objects.update(last_seen_at=clock.now() - dt.timedelta(days=9))
    factories.command(device, status="error", finished_at=clock.now())
    OutboxMessage.objects.create(tenant=tenant, kind="mail", status="quarantined")
    page = text(signed_in(admin).get("/"))
    assert "1 device has been silent for more than a week." in page
    assert "1 device refused a command since yesterday." in page
    assert "1 mail failed five times and was given up." in page
    assert "There is no push certificate yet" in page


def test_each_hint_leads_to_its_rows(signed_in, admin, device):
    DeviceContact.objects.update(last_seen_at=clock.now() - dt.timedelta(days=9))
    factories.command(device, status="error", finished_at=clock.now())
    client = signed_in(admin)
    for item in client.get("/").context["todo"]:
        response = client.get(item["url"], follow=True)
        assert response.status_code == 200
        if item["url"].startswith("/devices/"):
            assert response.context["table"].paginator.count == 1


def test_waiting_mail_is_announced_on_every_page(signed_in, helpdesk, tenant):
    OutboxMessage.objects.create(
        tenant=tenant, kind="mail", due_at=clock.now() - dt.timedelta(minutes=6)
    )
    page = text(signed_in(helpdesk).get("/devices/"))
    assert "Messages wait for more than five minutes" in page
    assert "See the mails" not in page


def test_trouble_of_others_is_not_announced(signed_in, admin, other_tenant):
    OutboxMessage.objects.create(tenant=other_tenant, kind="mail", status="quarantined")
    assert "given up" not in text(signed_in(admin).get("/"))


def test_home_shows_nobody_more_than_they_may_see(signed_in, tenant, person):
    factories.device(tenant, None)
    response = signed_in(person).get("/")
    assert response.status_code == 200
    assert "stat_devices" not in response.context
    assert "todo" in response.context
    assert response.context["todo"] == []


def test_a_stranger_is_sent_to_the_sign_in(client, tenant):
    response = client.get("/devices/?state=active")
    assert response.status_code == 302
    assert response.url == "/sign-in/?next=/devices/%3Fstate%3Dactive"


def test_the_number_of_queries_is_fixed(signed_in, admin, tenant, django_assert_max_num_queries):
    for _ in range(10):
        factories.device(tenant, factories.user(tenant))
    client = signed_in(admin)
    with django_assert_max_num_queries(24):
        client.get("/")


def test_an_unknown_page_says_what_to_do(signed_in, admin):
    response = signed_in(admin).get("/nothing/here/")
    page = text(response)
    assert response.status_code == 404
    assert "Page not found" in page
    assert "Incident" in page
    assert '<nav aria-label="Main">' in page


def test_a_fault_of_ours_needs_neither_database_nor_session(signed_in, admin, monkeypatch):
    from mdm import attention

    def fail(user):
        raise DatabaseError("a secret detail")

    monkeypatch.setattr(attention, "items", fail)
    client = signed_in(admin)
    client.raise_request_exception = False
    response = client.get("/")
    page = text(response)
    assert response.status_code == 500
    assert "Something went wrong here" in page
    assert "a secret detail" not in page
    assert "Traceback" not in page

from __future__ import annotations

import collections
import datetime as dt

import pytest
from django.db import OperationalError
from django.test import Client

from core import clock, outbox
from core.actors import Actor
from core.models import StoredKey, Tenant
from core.services import keys
from mdm.diagnosis import readiness

pytestmark = pytest.mark.django_db


@pytest.fixture
def tenant(db, quick_keys):
    """An organisation with its keys."""
    made = Tenant.objects.create(slug="health-check", name="Health")
    keys.create_tenant_keys(tenant=made, actor=Actor.system())
    return made


def levels(client):
    return client.get("/readyz").json()["checks"]


def test_a_living_process_says_so_without_a_query(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        answer = client.get("/healthz")
    assert (answer.status_code, answer.content) == (200, b"ok\n")


def test_a_set_up_server_is_ready(client, tenant):
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["checks"] == {
        "database": "ok",
        "migrations": "ok",
        "signer": "ok",
        "disk": "ok",
        "queue": "ok",
    }


def test_a_server_without_organisation_is_not_ready(client):
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["checks"]["signer"]) == (503, "error")
    assert answer.headers["Retry-After"]


def test_a_database_that_is_down_is_told_without_details(client, monkeypatch):
    def down():
        raise OperationalError("password of the database is hunter2")

    monkeypatch.setattr(readiness.connection, "cursor", down)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["checks"]) == (503, {"database": "error"})
    assert b"hunter2" not in answer.content


def test_keys_sealed_under_another_kek_make_it_unready(client, tenant):
    row = StoredKey.objects.filter(tenant=tenant, purpose="profile_signer").get()
    StoredKey.objects.filter(pk=row.pk).update(sealed_key=b"\x01" + b"x" * 60)
    assert levels(client)["signer"] == "error"


def test_a_signer_that_ends_soon_is_a_warning(client, tenant, time_machine):
    time_machine.move_to(clock.now() + dt.timedelta(days=1825 - 30))
    assert levels(client)["signer"] == "warning"


def test_an_ended_signer_makes_it_unready(client, tenant, time_machine):
    time_machine.move_to(clock.now() + dt.timedelta(days=1826))
    assert levels(client)["signer"] == "error"


def test_a_full_disk_makes_it_unready(client, tenant, monkeypatch):
    usage = collections.namedtuple("usage", "total used free")
    monkeypatch.setattr(readiness.shutil, "disk_usage", lambda path: usage(10**9, 10**9, 1000))
    assert levels(client)["disk"] == "error"


def test_late_messages_degrade_it_but_it_still_serves(client, tenant):
    due = clock.now() - dt.timedelta(minutes=6)
    outbox.enqueue(tenant=tenant, kind="mail", body={}, due_at=due)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    assert answer.json()["checks"]["queue"] == "warning"


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_only_reading_is_possible(client, path):
    assert client.post(path).status_code in (403, 405)


def test_metrics_tell_requests_and_state(client, tenant):
    client.get("/healthz")
    outbox.enqueue(tenant=tenant, kind="mail", body={}, due_at=clock.now())
    text = client.get("/metrics").content.decode()
    assert 'muster_requests_total{method="GET",plane="operator",status="2xx"}' in text
    assert 'muster_outbox_messages{status="pending"} 1.0' in text
    assert 'muster_certificate_end_timestamp_seconds{purpose="device_ca"}' in text


def test_metrics_with_a_token_need_the_token(client, settings):
    settings.MUSTER_METRICS_TOKEN = "a-long-random-token"
    right = {"Authorization": "Bearer a-long-random-token"}
    assert client.get("/metrics").status_code == 404
    assert client.get("/metrics", headers={"Authorization": "Bearer x"}).status_code == 404
    assert client.get("/metrics", headers=right).status_code == 200


def test_metrics_without_a_token_are_closed_on_a_public_server(client, settings):
    settings.MUSTER_PUBLIC_URL = "https://mdm.example.com"
    assert client.get("/metrics").status_code == 404


def test_metrics_without_a_token_are_closed_to_other_machines():
    assert Client(REMOTE_ADDR="192.0.2.7").get("/metrics").status_code == 404
    forwarded = {"X-Forwarded-For": "127.0.0.1"}
    stranger = Client(REMOTE_ADDR="192.0.2.7", headers=forwarded)
    assert stranger.get("/metrics").status_code == 404

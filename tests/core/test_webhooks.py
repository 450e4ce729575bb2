"""Webhooks: everything once and in order, signed, and never into our own network."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import ipaddress
import json

import pytest
from django.core.exceptions import ValidationError

from core import clock, history
from core.errors import DomainError
from core.models import OutboxMessage, Webhook
from core.services import chain, delivery, webhooks
from tests import factories
from tests.fakes.https import FakeHttps, Reply
from tests.portal import confirm, history_of, path, text

pytestmark = pytest.mark.django_db
PUBLIC = "https://hooks.example.com/muster"


class Receiver(FakeHttps):
    """Another system: keeps what it gets, in order."""

    def __init__(self, **options: object) -> None:
        super().__init__(**options)
        self.got: list = []

    def answer(self, request) -> Reply:
        return Reply(204)

    def reply_to(self, request) -> Reply:
        reply = super().reply_to(request)
        if reply.status == 204:
            self.got.append(request)
        return reply

    @property
    def actions(self) -> list[str]:
        return [json.loads(request.body)["action"] for request in self.got]


@pytest.fixture
def receiver(authority, settings):
    with Receiver(authority=authority) as service:
        settings.MUSTER_WEBHOOK_CA_FILE = str(service.authority_path)
        settings.MUSTER_EGRESS_NETWORKS = [
            ipaddress.ip_network("127.0.0.0/8"),
            ipaddress.ip_network("::1/128"),
        ]
        yield service


@pytest.fixture
def made(receiver, tenant, owner):
    return webhooks.create(
        tenant=tenant, actor=owner.actor, name="Chat", url=f"{receiver.url}/in?x=1"
    )


def happen(tenant, owner, *actions: str) -> None:
    for name in actions:
        history.record(tenant, name, actor=owner.actor, data={"e": "é📱"})


def go_round() -> None:
    chain.seal_pending()
    webhooks.sweep()
    delivery.sweep()


def due_again() -> None:
    OutboxMessage.objects.filter(status="pending").update(due_at=clock.now())


def test_everything_is_told_once_in_order_and_signed(made, receiver, tenant, owner):
    _hook, secret = made
    happen(tenant, owner, "core.tenant.changed", "devices.device.active")
    go_round()
    go_round()
    assert receiver.actions == [
        "core.webhook.created",
        "core.tenant.changed",
        "devices.device.active",
    ]
    request = receiver.got[-1]
    assert request.path == "/in?x=1"
    headers = {name.lower(): value for name, value in request.headers.items()}
    moment, _, given = headers["muster-signature"].partition(",v1=")
    signed = moment.removeprefix("t=").encode() + b"." + request.body
    assert hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() == given
    event = json.loads(request.body)
    assert headers["muster-event-id"] == event["id"]
    assert event["data"] == {"e": "é📱"}
    assert event["actor"]["label"] == owner.actor.label


def test_it_hears_nothing_from_before_nor_of_others(receiver, tenant, other_tenant, owner):
    happen(tenant, owner, "core.tenant.changed")
    chain.seal_pending()
    webhooks.create(tenant=tenant, actor=owner.actor, name="Chat", url=receiver.url)
    happen(other_tenant, owner, "core.tenant.changed")
    go_round()
    assert receiver.actions == ["core.webhook.created"]


def test_only_chosen_topics_are_told(receiver, tenant, owner):
    webhooks.create(
        tenant=tenant, actor=owner.actor, name="D", url=receiver.url, topics=["devices"]
    )
    happen(tenant, owner, "core.tenant.changed", "devices.device.active", "accounts.user.edited")
    go_round()
    assert receiver.actions == ["devices.device.active"]


def test_an_event_that_was_not_taken_comes_again_with_the_same_id(made, receiver, tenant, owner):
    receiver.script(Reply(503), Reply(302, headers={"Location": "https://evil.test/"}))
    go_round()
    assert receiver.got == []
    for _ in range(2):
        due_again()
        delivery.sweep()
    assert receiver.actions == ["core.webhook.created"]
    assert OutboxMessage.objects.filter(kind="webhook", status="delivered").count() == 1


def test_one_that_is_gone_is_stopped_and_goes_on_later(made, receiver, tenant, owner):
    hook, _ = made
    receiver.script(Reply(410))
    go_round()
    hook.refresh_from_db()
    assert not hook.is_active
    assert "410" in hook.stopped_reason
    happen(tenant, owner, "devices.device.active")
    go_round()
    assert receiver.got == []
    webhooks.resume(hook=hook, actor=owner.actor)
    go_round()
    assert "devices.device.active" in receiver.actions
    assert history_of(hook)[:2] == ["core.webhook.created", "core.webhook.stopped"]


def test_too_many_failures_stop_it(made, receiver, monkeypatch, owner):
    hook, _ = made
    monkeypatch.setattr(webhooks, "MAX_FAILURES", 2)
    message = webhooks.send_test(hook=hook, actor=owner.actor)
    for count in (1, 2):
        webhooks.note_failure(message)
        hook.refresh_from_db()
        assert (hook.failures, hook.is_active) == (count, count < 2)


def test_a_deleted_webhook_is_told_nothing_more(made, receiver, owner):
    hook, _ = made
    message = webhooks.send_test(hook=hook, actor=owner.actor)
    webhooks.delete(hook=hook, actor=owner.actor)
    delivery.sweep()
    message.refresh_from_db()
    assert message.status == "undeliverable"
    assert receiver.got == []


def test_the_secret_is_sealed(made):
    hook, secret = made
    assert secret.encode() not in bytes(hook.sealed_secret)
    assert len(secret) >= 43


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.com/",
        "https://user:pw@hooks.example.com/",
        "https://hooks.example.com:8443/",
        "https://hooks.example.com/#x",
        "file:///etc/passwd",
        "https://exa mple.com/",
        "https://",
        "javascript:alert(1)",
        "https://example.com/" + "x" * 600,
    ],
)
def test_only_plain_https_addresses(tenant, owner, url):
    with pytest.raises((DomainError, ValidationError)):
        webhooks.create(tenant=tenant, actor=owner.actor, name="x", url=url)
    assert not Webhook.objects.exists()


@pytest.mark.parametrize("host", ["127.0.0.1", "169.254.169.254", "10.0.0.1", "[::1]", "localhost"])
def test_it_never_calls_our_own_network(tenant, owner, host, receiver, settings):
    settings.MUSTER_EGRESS_NETWORKS = []
    hook, _ = webhooks.create(
        tenant=tenant, actor=owner.actor, name="x", url=f"https://{host}/latest"
    )
    message = webhooks.send_test(hook=hook, actor=owner.actor)
    delivery.sweep()
    message.refresh_from_db()
    assert message.status == "pending"
    assert "private network" in message.last_error
    assert receiver.connections == 0


def test_a_certificate_that_is_not_trusted_gets_nothing(made, receiver, settings, owner):
    settings.MUSTER_WEBHOOK_CA_FILE = ""
    hook, _ = made
    message = webhooks.send_test(hook=hook, actor=owner.actor)
    delivery.sweep()
    message.refresh_from_db()
    assert "server_untrusted" in message.last_error
    assert receiver.got == []


def test_ten_thousand_changes_cost_a_few_queries(made, receiver, tenant, owner, monkeypatch):
    happen(tenant, owner, *["devices.device.active"] * 30)
    chain.seal_pending()
    monkeypatch.setattr(webhooks, "BATCH", 10)
    assert [webhooks.sweep() for _ in range(5)] == [10, 10, 10, 1, 0]


# The portal and the API


def test_it_is_added_tried_and_deleted_in_the_portal(signed_in, owner, receiver, auditor, stranger):
    client = signed_in(owner)
    confirm(client)
    page = client.post(
        path("settings-webhook-new"),
        {"name": "Chat", "url": f"{receiver.url}/in", "topics": ["devices"]},
    )
    hook = Webhook.objects.get()
    assert "shown this once" in text(page)
    assert hook.topics == ["devices"]
    client.post(path("settings-webhook-test", hook.pk))
    delivery.sweep()
    assert receiver.actions == ["core.webhook.tested"]
    assert "Delivered" in text(client.get(path("settings-webhook", hook.pk)))
    bad = client.post(path("settings-webhook", hook.pk), {"name": "x", "url": "http://x/"})
    assert bad.status_code == 422
    assert "Use an https address" in text(bad)
    client = signed_in(auditor)
    client.post(path("settings-webhook", hook.pk), {"name": "x", "url": PUBLIC})
    assert client.post(path("settings-webhook-delete", hook.pk)).status_code == 403
    assert signed_in(stranger).get(path("settings-webhook", hook.pk)).status_code == 404
    hook.refresh_from_db()
    assert hook.name == "Chat"
    signed_in(owner).post(path("settings-webhook-delete", hook.pk))
    assert not Webhook.objects.exists()


def test_programs_have_the_same(client, owner):
    _, token = factories.token(owner, "settings.manage")
    options = {
        "content_type": "application/json",
        "headers": {"Authorization": f"Bearer {token}"},
    }
    answer = client.post("/api/v1/webhooks/", {"name": "Chat", "url": PUBLIC}, **options)
    assert answer.status_code == 201
    secret, url = answer.json()["secret"], f"/api/v1/webhooks/{answer.json()['id']}/"
    assert secret not in client.get(url, **options).content.decode()
    assert client.patch(url, {"topics": ["nothing"]}, **options).status_code == 400
    assert client.patch(url, {"topics": ["devices"]}, **options).json()["topics"] == ["devices"]
    assert client.post(f"{url}test/", **options).status_code == 202
    assert client.delete(url, **options).status_code == 204


def test_there_are_not_endless_webhooks(tenant, owner, monkeypatch):
    monkeypatch.setattr(webhooks, "MAX_WEBHOOKS", 1)
    webhooks.create(tenant=tenant, actor=owner.actor, name="1", url=PUBLIC)
    with pytest.raises(webhooks.TooManyWebhooks):
        webhooks.create(tenant=tenant, actor=owner.actor, name="2", url=PUBLIC)
    assert Webhook.objects.get().created_at < clock.now() + dt.timedelta(seconds=1)

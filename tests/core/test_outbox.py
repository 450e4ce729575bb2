from __future__ import annotations

import datetime as dt

import pytest

from core import clock, outbox
from core.models import OutboxMessage, OutboxStatus
from core.services import delivery

pytestmark = pytest.mark.django_db


class Recorder:
    """A receiver that answers as told, and counts."""

    def __init__(self) -> None:
        self.bodies, self.failures, self.answer = [], [], None

    def __call__(self, message, body) -> None:
        self.bodies.append(body)
        if self.answer:
            raise self.answer


@pytest.fixture
def receiver(monkeypatch):
    recorder = Recorder()
    monkeypatch.setitem(outbox._handlers, "test", recorder)
    monkeypatch.setitem(outbox._failure_hooks, "test", recorder.failures.append)
    return recorder


def enqueue(tenant, **fields) -> OutboxMessage:
    return outbox.enqueue(tenant=tenant, kind="test", body={"pin": "12345678"}, **fields)


def make_due(message) -> None:
    OutboxMessage.objects.filter(pk=message.pk).update(due_at=clock.now())


def test_delivers_once_and_erases_the_body(tenant, receiver):
    message = enqueue(tenant)
    assert delivery.deliver(message.pk)
    assert not delivery.deliver(message.pk)
    message.refresh_from_db()
    assert receiver.bodies == [{"pin": "12345678"}]
    assert (message.status, bytes(message.sealed_body)) == (OutboxStatus.DELIVERED, b"")


def test_keeps_no_body_in_the_clear(tenant, receiver):
    assert b"12345678" not in bytes(enqueue(tenant).sealed_body)


def test_a_key_makes_a_message_exist_once(tenant, receiver):
    assert enqueue(tenant, key="a").pk == enqueue(tenant, key="a").pk
    assert enqueue(tenant, key="b").pk != enqueue(tenant, key="a").pk
    assert OutboxMessage.objects.count() == 2


def test_a_leased_message_is_left_to_its_holder(tenant, receiver):
    message = enqueue(tenant)
    assert delivery.claim(message.pk) is not None
    assert delivery.sweep() == 0
    assert receiver.bodies == []


def test_a_message_of_a_killed_worker_is_delivered_when_the_lease_ran_out(tenant, receiver):
    message = enqueue(tenant)
    delivery.claim(message.pk)
    make_due(message)
    assert delivery.sweep() == 1


def test_a_receiver_that_is_down_gets_it_later(tenant, receiver):
    receiver.answer = outbox.RetryLater(600, "450 busy")
    message = enqueue(tenant)
    delivery.deliver(message.pk)
    message.refresh_from_db()
    assert message.status == OutboxStatus.PENDING
    assert message.last_error == "450 busy"
    assert message.due_at >= clock.now() + dt.timedelta(seconds=590)


def test_a_refusal_is_final_and_told(tenant, receiver):
    receiver.answer = outbox.Undeliverable("550 no such user")
    message = enqueue(tenant)
    delivery.deliver(message.pk)
    message.refresh_from_db()
    assert message.status == OutboxStatus.UNDELIVERABLE
    assert [failed.pk for failed in receiver.failures] == [message.pk]
    assert not message.sealed_body


def test_five_failures_quarantine_and_an_administrator_can_retry(tenant, receiver):
    receiver.answer = RuntimeError("bug")
    message = enqueue(tenant)
    for _attempt in range(7):
        make_due(message)
        delivery.deliver(message.pk)
    message.refresh_from_db()
    assert (message.status, message.attempts) == (OutboxStatus.QUARANTINED, 5)
    assert len(receiver.bodies) == 5
    receiver.answer = None
    assert delivery.retry_quarantined(message.pk, tenant_id=tenant.pk)
    assert delivery.deliver(message.pk)


def test_a_message_that_kills_its_worker_is_quarantined_too(tenant, receiver):
    message = enqueue(tenant)
    for _attempt in range(5):
        make_due(message)
        assert delivery.claim(message.pk)
    make_due(message)
    delivery.sweep()
    message.refresh_from_db()
    assert message.status == OutboxStatus.QUARANTINED


def test_another_tenants_message_cannot_be_retried(tenant, other_tenant, receiver):
    message = enqueue(tenant)
    OutboxMessage.objects.update(status=OutboxStatus.QUARANTINED)
    assert not delivery.retry_quarantined(message.pk, tenant_id=other_tenant.pk)


def test_a_broker_that_is_down_does_not_fail_the_change(
    tenant, receiver, monkeypatch, django_capture_on_commit_callbacks
):
    from core.tasks import deliver_message

    def broken(*args, **kwargs):
        raise ConnectionError

    monkeypatch.setattr(deliver_message, "apply_async", broken)
    with django_capture_on_commit_callbacks(execute=True):
        message = enqueue(tenant)
    assert delivery.sweep() == 1
    assert OutboxMessage.objects.get(pk=message.pk).status == OutboxStatus.DELIVERED

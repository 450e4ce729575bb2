"""Queues messages in the transaction of the change that they tell about."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db import models, transaction

from core import clock, secrets
from core.models import OutboxMessage, Tenant


class RetryLater(Exception):
    """The other side cannot take the message now; it is tried again after `seconds`."""

    def __init__(self, seconds: int, reason: str) -> None:
        self.seconds, self.reason = seconds, reason
        super().__init__(reason)


class Undeliverable(Exception):
    """The other side will never take the message."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


Handler = Callable[[OutboxMessage, dict[str, Any]], None]
_is_batch: ContextVar[bool] = ContextVar("outbox_batch", default=False)
_handlers: dict[str, Handler] = {}
_failure_hooks: dict[str, Callable[[OutboxMessage], None]] = {}


def register(
    kind: str, handler: Handler, *, on_failure: Callable[[OutboxMessage], None] | None = None
) -> None:
    """Let `handler` deliver messages of `kind`; called in `AppConfig.ready()`.

    `on_failure` is called, in the same transaction, when a message is given up.
    """
    _handlers[kind] = handler
    if on_failure:
        _failure_hooks[kind] = on_failure


def handler_of(kind: str) -> Handler:
    return _handlers[kind]


def failure_hook_of(kind: str) -> Callable[[OutboxMessage], None]:
    return _failure_hooks.get(kind, lambda message: None)


def open_body(message: OutboxMessage) -> dict[str, Any]:
    return json.loads(secrets.unseal(message.sealed_body, context=f"outbox:{message.pk}"))


def enqueue(
    *,
    tenant: Tenant,
    kind: str,
    body: dict[str, Any],
    recipient: str = "",
    about: models.Model | None = None,
    key: str = "",
    due_at: dt.datetime | None = None,
) -> OutboxMessage:
    """Write a message; a worker is told after the commit, and the sweep finds it in any case.

    With a `key` the message exists once per tenant and kind: a second call returns the first.
    """
    message = OutboxMessage(
        tenant=tenant,
        kind=kind,
        key=key or None,
        recipient=recipient[:254],
        about_type=about._meta.label_lower if about else "",
        about_id=str(about.pk) if about else "",
        due_at=due_at or clock.now(),
    )
    message.sealed_body = secrets.seal(json.dumps(body).encode(), context=f"outbox:{message.pk}")
    if key:
        existing = OutboxMessage.objects.filter(tenant=tenant, kind=kind, key=key).first()
        if existing:
            return existing
    message.save(force_insert=True)
    if due_at is None and not _is_batch.get():
        from core.tasks import deliver_message

        transaction.on_commit(lambda: deliver_message.ring(str(message.pk)))
    return message


@contextmanager
def batch() -> Iterator[None]:
    """Tell a worker once of everything that is queued inside, and not of each message.

    A ring costs far more than a delivery where the broker is a folder. Not inside a transaction.
    """
    from core.tasks import sweep_outbox

    token = _is_batch.set(True)
    try:
        yield
    finally:
        _is_batch.reset(token)
        sweep_outbox.ring()

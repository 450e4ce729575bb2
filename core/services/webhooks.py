"""Tells other systems what the change history tells, in its order, at least once.

The sealed chain is the stream: its places have no gaps, so that a place per webhook is all that
has to be remembered. An event has the id of its history entry, by which a repetition is known.
"""

from __future__ import annotations

import json
import secrets as random_secrets
import uuid
from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from core import clock, history, outbox, secrets
from core.actors import Actor
from core.errors import DomainError
from core.gateways import egress, webhook
from core.models import HistoryEntry, OutboxMessage, Tenant, Webhook

KIND = "webhook"
TOPICS = ("devices", "enrollment", "accounts", "apple", "core")
MAX_WEBHOOKS = 20
BATCH = 500
MAX_FAILURES = 20
TEST_ACTION = "core.webhook.tested"
_SECRET_BYTES = 32


class WebhookRefused(DomainError):
    code = "webhook_refused"
    status = 400


class TooManyWebhooks(DomainError):
    code = "too_many_webhooks"
    status = 409


@transaction.atomic
def create(
    *, tenant: Tenant, actor: Actor, name: str, url: str, topics: Iterable[str] = ()
) -> tuple[Webhook, str]:
    """Add a webhook and return it with its secret, which is shown once.

    It is told what happens from now on. Raises WebhookRefused, TooManyWebhooks, ValidationError.
    """
    Tenant.objects.select_for_update().get(pk=tenant.pk)
    if Webhook.objects.filter(tenant=tenant).count() >= MAX_WEBHOOKS:
        raise TooManyWebhooks(_("Delete a webhook that is not used any more first."))
    secret = random_secrets.token_urlsafe(_SECRET_BYTES)
    hook = Webhook(
        tenant=tenant,
        name=name.strip(),
        url=_checked(url),
        topics=_known(topics),
        position=_head(tenant),
    )
    hook.sealed_secret = secrets.seal(secret.encode(), context=_context(hook.pk))
    hook.full_clean()
    hook.save(force_insert=True)
    data = {"url": hook.url, "topics": hook.topics}
    history.record(hook, "core.webhook.created", actor=actor, data=data)
    return hook, secret


@transaction.atomic
def change(*, hook: Webhook, actor: Actor, **fields: Any) -> Webhook:
    """Change name, address or topics. Raises WebhookRefused, ValidationError."""
    hook = Webhook.objects.select_for_update().get(pk=hook.pk)
    wanted: dict[str, Any] = {
        name: fields[name] for name in ("name", "url", "topics") if name in fields
    }
    if "url" in wanted:
        wanted["url"] = _checked(wanted["url"])
    if "topics" in wanted:
        wanted["topics"] = _known(wanted["topics"])
    before: dict[str, Any] = {name: getattr(hook, name) for name in wanted}
    changed = history.changes(before, wanted)
    for name, value in wanted.items():
        setattr(hook, name, value)
    if changed:
        hook.full_clean()
        hook.save(update_fields=list(changed))
        history.record(hook, "core.webhook.changed", actor=actor, data=changed)
    return hook


@transaction.atomic
def resume(*, hook: Webhook, actor: Actor) -> None:
    """Tell again, beginning with what it missed while it was stopped."""
    fields = {"is_active": True, "failures": 0, "stopped_reason": ""}
    if Webhook.objects.filter(pk=hook.pk, is_active=False).update(**fields):
        history.record(hook, "core.webhook.resumed", actor=actor)


@transaction.atomic
def delete(*, hook: Webhook, actor: Actor) -> None:
    history.record(hook, "core.webhook.deleted", actor=actor, data={"url": hook.url})
    hook.delete()


@transaction.atomic
def send_test(*, hook: Webhook, actor: Actor) -> OutboxMessage:
    """Queue an event that tells of nothing but itself."""
    event = {
        "id": f"test-{uuid.uuid4()}",
        "at": clock.now().isoformat(),
        "action": TEST_ACTION,
        "actor": actor.as_dict(),
    }
    return _enqueue(hook, event)


def sweep() -> int:
    """Hand what happened to the outbox; returns how many events."""
    hooks = Webhook.objects.filter(is_active=True).values_list("pk", flat=True)
    return sum(_hand_over(pk) for pk in list(hooks))


@transaction.atomic
def _hand_over(pk: uuid.UUID) -> int:
    """The row of the webhook is the lock, and its place moves with the messages."""
    hook = Webhook.objects.select_for_update(of=("self",)).filter(pk=pk, is_active=True).first()
    if hook is None:
        return 0
    rows = HistoryEntry.objects.filter(tenant_id=hook.tenant_id, chain_index__gt=hook.position)
    entries = list(rows.order_by("chain_index")[:BATCH])
    told = [entry for entry in entries if _is_wanted(hook, entry)]
    with outbox.batch():
        for entry in told:
            _enqueue(hook, event_of(entry), key=f"{hook.pk}:{entry.pk}")
    if entries:
        hook.position = entries[-1].chain_index or hook.position
        hook.save(update_fields=["position"])
    return len(told)


def event_of(entry: HistoryEntry) -> dict[str, Any]:
    """Return a history entry as it is told: the same fields as in the API."""
    return {
        "id": str(entry.pk),
        "at": entry.at.isoformat(),
        "action": entry.action,
        "actor": {"kind": entry.actor_kind, "id": entry.actor_id, "label": entry.actor_label},
        "about": {
            "type": entry.object_type,
            "id": entry.object_id,
            "label": entry.object_label,
        },
        "data": entry.data,
        "chain_index": entry.chain_index,
    }


def _enqueue(hook: Webhook, event: dict[str, Any], key: str = "") -> OutboxMessage:
    return outbox.enqueue(
        tenant=hook.tenant,
        kind=KIND,
        body={"webhook": str(hook.pk), "event": event},
        recipient=hook.name,
        about=hook,
        key=key,
    )


def deliver(message: OutboxMessage, body: dict[str, Any]) -> None:
    """Post one event. 2xx is the only thanks; 410 stops the webhook, all else is tried again."""
    hook = Webhook.objects.filter(pk=body["webhook"]).first()
    if hook is None:
        raise outbox.Undeliverable("the webhook was deleted")
    secret = secrets.unseal(bytes(hook.sealed_secret), context=_context(hook.pk)).decode()
    content = json.dumps(body["event"], separators=(",", ":"), ensure_ascii=False).encode()
    reply = webhook.send(url=hook.url, secret=secret, event_id=body["event"]["id"], content=content)
    if 200 <= reply.status < 300:
        Webhook.objects.filter(pk=hook.pk).update(failures=0, delivered_at=clock.now())
        return
    reason = f"{reply.status or ''} {reply.reason}".strip() or "no answer"
    if reply.status == 410:
        _stop(hook, _("It answered that it is gone (410)."))
        raise outbox.Undeliverable(reason)
    raise outbox.RetryLater(min(reply.retry_after or 60 * 2**message.attempts, 3600), reason)


def note_failure(message: OutboxMessage) -> None:
    """Count an event that was given up; too many in a row stop the webhook."""
    hook = Webhook.objects.select_for_update().filter(pk=message.about_id).first()
    if hook is None or not hook.is_active:
        return
    hook.failures += 1
    hook.save(update_fields=["failures"])
    if hook.failures >= MAX_FAILURES:
        _stop(hook, _("It did not take %(count)d events in a row.") % {"count": hook.failures})


def _stop(hook: Webhook, reason: str) -> None:
    if Webhook.objects.filter(pk=hook.pk, is_active=True).update(
        is_active=False, stopped_reason=reason
    ):
        data = {"reason": reason}
        history.record(hook, "core.webhook.stopped", actor=Actor.system("webhooks"), data=data)


def _is_wanted(hook: Webhook, entry: HistoryEntry) -> bool:
    return not hook.topics or entry.action.partition(".")[0] in hook.topics


def _checked(url: str) -> str:
    try:
        egress.check_url(url.strip())
    except egress.EgressRefused as error:
        message = _("Use an https address on the open internet, without a user name or a port.")
        raise WebhookRefused(message, field="url") from error
    return url.strip()


def _known(topics: Iterable[str]) -> list[str]:
    chosen = set(topics)
    if not chosen <= set(TOPICS):
        raise WebhookRefused(_("One of the topics is not known."), field="topics")
    return [topic for topic in TOPICS if topic in chosen]


def _head(tenant: Tenant) -> int:
    sealed = HistoryEntry.objects.filter(tenant=tenant, chain_index__isnull=False)
    last = sealed.order_by("-chain_index").values_list("chain_index", flat=True).first()
    return last or 0


def _context(pk: object) -> str:
    return f"webhook:{pk}"

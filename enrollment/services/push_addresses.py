"""Where pushes go: tokens of client apps and subscriptions of browsers, sealed and kept fresh."""

from __future__ import annotations

import json
import re
import uuid
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from accounts.models import User
from core import history, secrets
from core.actors import Actor
from enrollment.errors import PushAddressRefused
from enrollment.gateways import web_push
from enrollment.models import AppPush, BrowserSubscription, ClientInstallation, EnrollmentSession
from enrollment.services.push_keys import fingerprint_of

MAX_BROWSERS = 10
_APNS_TOKEN = re.compile(r"(?:[0-9a-f]{2}){16,100}")
_FCM_TOKEN = re.compile(r"[A-Za-z0-9_:.-]{20,1024}")


@transaction.atomic
def keep_app_token(
    *, installation: ClientInstallation, kind: str, token: str
) -> ClientInstallation:
    """Note where a client app takes pushes; "" as kind forgets it. Raises PushAddressRefused.

    A token belongs to one installation: one that another app showed before moves over.
    """
    if kind == AppPush.APNS:
        token = token.strip().lower()
    shape = {AppPush.APNS.value: _APNS_TOKEN, AppPush.FCM.value: _FCM_TOKEN}.get(kind)
    if kind and (shape is None or not shape.fullmatch(token)):
        raise PushAddressRefused
    row = ClientInstallation.objects.select_for_update(of=("self",)).get(pk=installation.pk)
    row.push_kind, row.push_broken_reason = kind, ""
    row.push_token_hash = fingerprint_of(token) if kind else ""
    row.sealed_push_token = secrets.seal(token.encode(), context=_app(row)) if kind else b""
    if kind:
        others = ClientInstallation.objects.filter(
            push_kind=kind, push_token_hash=row.push_token_hash
        )
        others.exclude(pk=row.pk).update(push_kind="", sealed_push_token=b"", push_token_hash="")
    row.save(
        update_fields=["push_kind", "push_broken_reason", "push_token_hash", "sealed_push_token"]
    )
    return row


def open_app_token(row: ClientInstallation) -> str:
    return secrets.unseal(row.sealed_push_token, context=_app(row)).decode()


@transaction.atomic
def subscribe(
    *,
    session: EnrollmentSession,
    user: User,
    document: Any,
    language: str,
    actor: Actor,
    label: str = "",
) -> BrowserSubscription:
    """Keep a browser that agreed to be reminded. Raises PushAddressRefused.

    The same browser counts once, for whoever registers in it now; of a person the newest ten.
    `label` says which browser it is, for the ledger.
    """
    try:
        subscription = web_push.read(document)
    except web_push.InvalidSubscription as error:
        raise PushAddressRefused from error
    User.objects.select_for_update(of=("self",)).get(pk=user.pk)
    endpoint_hash = fingerprint_of(subscription.endpoint)
    BrowserSubscription.objects.filter(endpoint_hash=endpoint_hash).delete()
    row = BrowserSubscription(
        tenant_id=user.tenant_id,
        user=user,
        session=session,
        endpoint_hash=endpoint_hash,
        language=language[:8],
        label=label[:80],
    )
    content = json.dumps(subscription.as_json()).encode()
    row.sealed_subscription = secrets.seal(content, context=_browser(row))
    row.save(force_insert=True)
    mine = BrowserSubscription.objects.filter(user=user).order_by("-created_at", "-id")
    keep = list(mine.values_list("pk", flat=True)[:MAX_BROWSERS])
    BrowserSubscription.objects.filter(user=user).exclude(pk__in=keep).delete()
    history.record(session, "enrollment.browser.subscribed", actor=actor)
    return row


def unsubscribe(*, user: User, endpoint: str, actor: Actor) -> bool:
    """Forget one browser of a person, by the address that it names itself."""
    found = BrowserSubscription.objects.filter(endpoint_hash=fingerprint_of(endpoint))
    return _forget(found.filter(user=user), user, actor)


def forget(*, user: User, browser_id: uuid.UUID, actor: Actor) -> bool:
    """Forget one browser of a person, seen in a list elsewhere."""
    return _forget(BrowserSubscription.objects.filter(pk=browser_id, user=user), user, actor)


@transaction.atomic
def _forget(found: QuerySet[BrowserSubscription], user: User, actor: Actor) -> bool:
    labels = list(found.values_list("label", flat=True))
    if not found.delete()[0]:
        return False
    history.record(user, "enrollment.browser.forgotten", actor=actor, data={"browser": labels[0]})
    return True


def known_browsers(user: User) -> list[str]:
    """Return the hashes of the addresses at which a person's browsers are pushed. One query."""
    rows = BrowserSubscription.objects.filter(user=user, broken_reason="")
    return list(rows.order_by("created_at").values_list("endpoint_hash", flat=True))


def open_subscription(row: BrowserSubscription) -> web_push.Subscription:
    """Open what `subscribe` sealed. Raises SecretError."""
    content = json.loads(secrets.unseal(row.sealed_subscription, context=_browser(row)))
    return web_push.Subscription(content["endpoint"], **content["keys"])


def mark_app_broken(row: ClientInstallation, reason: str) -> None:
    """Stop pushing a token that is dead, unless the app has sent another one meanwhile."""
    ClientInstallation.objects.filter(pk=row.pk, push_token_hash=row.push_token_hash).update(
        push_broken_reason=reason[:80], sealed_push_token=b""
    )


def mark_browser_broken(row: BrowserSubscription, reason: str) -> None:
    BrowserSubscription.objects.filter(pk=row.pk).update(broken_reason=reason[:80])


def _app(row: ClientInstallation) -> str:
    return f"client_push:{row.pk}"


def _browser(row: BrowserSubscription) -> str:
    return f"browser_push:{row.pk}"

"""The organisation's own credentials of push services: checked, sealed, never shown again."""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from core import clock, history, ids, secrets
from core.actors import Actor
from core.gateways.exchange import is_loopback
from core.models import KeyPurpose, StoredKey, Tenant
from core.pki import keys as pki_keys
from core.services.keys import seal_context
from enrollment.errors import PushKeyRefused
from enrollment.gateways import app_apns, fcm, web_push
from enrollment.models import BrowserSubscription

PURPOSES = (KeyPurpose.APP_APNS, KeyPurpose.APP_FCM, KeyPurpose.WEB_PUSH)
MAX_FILE = 16_384
_TEN_CHARACTERS = re.compile(r"[A-Z0-9]{10}")
_TOPIC = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_PROJECT = re.compile(r"[a-z][a-z0-9-]{4,29}")
_ACCOUNT = re.compile(r"[a-z0-9.-]+@[a-z0-9.-]+\.gserviceaccount\.com")
_KEY_ID = re.compile(r"[0-9A-Za-z]{8,64}")


def rows(tenant_id: uuid.UUID) -> dict[str, StoredKey]:
    """Return the credentials in use by purpose. One query."""
    found = StoredKey.objects.filter(tenant_id=tenant_id, purpose__in=PURPOSES).current()
    return {row.purpose: row for row in reversed(found)}


def find(tenant_id: uuid.UUID, purpose: str) -> StoredKey | None:
    return StoredKey.objects.filter(tenant_id=tenant_id, purpose=purpose).current().first()


def install_apns(
    *, tenant: Tenant, content: bytes, key_id: str, team_id: str, topic: str, actor: Actor
) -> StoredKey:
    """Keep the key of Apple's developer portal (.p8). Raises PushKeyRefused."""
    key = _private_key(content)
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
        raise PushKeyRefused(
            _("This is not the .p8 file of a push key: its key is of another kind."), field="file"
        )
    facts = {"key_id": key_id.strip().upper(), "team_id": team_id.strip().upper()}
    for name, value in facts.items():
        if not _TEN_CHARACTERS.fullmatch(value):
            raise PushKeyRefused(_("Apple's identifiers have ten letters and digits."), field=name)
    topic = topic.strip()
    if not _TOPIC.fullmatch(topic) or len(topic) > 155 or topic.startswith("com.apple.mgmt."):
        raise PushKeyRefused(
            _("Enter the bundle identifier of your app, for example com.example.registration."),
            field="topic",
        )
    return _replace(tenant, KeyPurpose.APP_APNS, key, {**facts, "topic": topic}, actor)


def install_fcm(*, tenant: Tenant, content: bytes, actor: Actor) -> StoredKey:
    """Keep what is needed of a service account's JSON file. Raises PushKeyRefused."""
    account = _service_account(content)
    key = _private_key(str(account["private_key"]).encode())
    if not isinstance(key, rsa.RSAPrivateKey) or key.key_size < 2048:
        raise PushKeyRefused(_("The key in this file is not one that Google makes."), field="file")
    facts = {name: str(account[name]) for name in ("project_id", "client_email", "private_key_id")}
    return _replace(tenant, KeyPurpose.APP_FCM, key, facts, actor)


def make_web_push(*, tenant: Tenant, actor: Actor) -> StoredKey:
    """Make the key with which browsers know us, once; returns the one in use."""
    with transaction.atomic():
        Tenant.objects.select_for_update().get(pk=tenant.pk)
        existing = find(tenant.pk, KeyPurpose.WEB_PUSH)
        if existing is not None:
            return existing
        return _replace(tenant, KeyPurpose.WEB_PUSH, pki_keys.generate_p256(), {}, actor)


@transaction.atomic
def remove(*, tenant: Tenant, purpose: str, actor: Actor) -> bool:
    """Forget a credential; what waits on its channel fails. Returns whether there was one.

    Browsers that agreed did so for this key: they have to be asked again.
    """
    Tenant.objects.select_for_update().get(pk=tenant.pk)
    row = find(tenant.pk, purpose)
    if row is None:
        return False
    _end(row)
    if purpose == KeyPurpose.WEB_PUSH:
        subscriptions = BrowserSubscription.objects.filter(tenant=tenant, broken_reason="")
        subscriptions.update(broken_reason="key_removed")
    history.record(row, "enrollment.push_key.removed", actor=actor, data={"purpose": purpose})
    return True


def note_trouble(row: StoredKey, reason: str) -> None:
    """Remember that the service refuses this credential, or with "" that it takes it."""
    current = row.data.get("trouble", {}).get("reason", "")
    if current == reason:
        return
    fresh = StoredKey.objects.filter(pk=row.pk, retired_at=None).first()
    if fresh is None:
        return
    fresh.data.pop("trouble", None)
    if reason:
        fresh.data["trouble"] = {"reason": reason, "since": clock.now().isoformat()}
    fresh.save(update_fields=["data"])
    row.data = fresh.data


def apns_of(row: StoredKey) -> app_apns.Credentials:
    key = _opened(row)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError("keys of app pushes are of P-256")
    data = row.data
    return app_apns.Credentials(str(row.pk), data["key_id"], data["team_id"], data["topic"], key)


def fcm_of(row: StoredKey) -> fcm.Credentials:
    key = _opened(row)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise TypeError("keys of service accounts are RSA")
    data = row.data
    return fcm.Credentials(
        str(row.pk), data["project_id"], data["client_email"], data["private_key_id"], key
    )


def signer_of(row: StoredKey) -> web_push.Signer:
    key = _opened(row)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError("keys of browser pushes are of P-256")
    url = settings.MUSTER_PUBLIC_URL
    # Push services want an address that could be theirs to write to.
    contact = url if url.startswith("https:") and not is_loopback(url) else _sender()
    return web_push.Signer(key, contact)


def _sender() -> str:
    return f"mailto:{settings.DEFAULT_FROM_EMAIL.rpartition('<')[2].strip('> ')}"


def _opened(row: StoredKey) -> pki_keys.PrivateKey:
    data = secrets.unseal(row.sealed_key, context=seal_context(row.pk))
    return pki_keys.load_private(data, is_trusted=True)


@transaction.atomic
def _replace(
    tenant: Tenant, purpose: str, key: pki_keys.PrivateKey, facts: dict[str, Any], actor: Actor
) -> StoredKey:
    Tenant.objects.select_for_update().get(pk=tenant.pk)
    for old in StoredKey.objects.filter(tenant=tenant, purpose=purpose).current():
        _end(old)
    row_id = ids.uuid7()
    fingerprint = pki_keys.public_key_sha256(key.public_key())
    row = StoredKey.objects.create(
        id=row_id,
        tenant=tenant,
        purpose=purpose,
        sealed_key=secrets.seal(pki_keys.dump_private(key), context=seal_context(row_id)),
        data={**facts, "public_key": fingerprint},
    )
    data = {"purpose": str(purpose), **facts, "public_key": fingerprint}
    history.record(row, "enrollment.push_key.installed", actor=actor, data=data)
    return row


def _end(row: StoredKey) -> None:
    StoredKey.objects.filter(pk=row.pk).update(retired_at=clock.now(), sealed_key=b"")


def _private_key(content: bytes) -> pki_keys.PrivateKey:
    refused = PushKeyRefused(_("There is no private key in this file."), field="file")
    if len(content) > MAX_FILE:
        raise PushKeyRefused(_("The file is too large to be a key."), field="file")
    try:
        key = serialization.load_pem_private_key(content, password=None)
    except pki_keys.LIBRARY_ERRORS as error:
        raise refused from error
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise refused
    return key


def _service_account(content: bytes) -> dict[str, Any]:
    if len(content) > MAX_FILE:
        raise PushKeyRefused(_("The file is too large to be a key."), field="file")
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise PushKeyRefused(_("This is not a JSON file."), field="file") from error
    if not isinstance(found, dict) or found.get("type") != "service_account":
        raise PushKeyRefused(
            _(
                "This is not the key of a service account. Create one in the Firebase console, "
                "project settings, “Service accounts”."
            ),
            field="file",
        )
    shapes = {"project_id": _PROJECT, "client_email": _ACCOUNT, "private_key_id": _KEY_ID}
    for name, shape in shapes.items():
        value = found.get(name)
        if not isinstance(value, str) or len(value) > 200 or not shape.fullmatch(value):
            words = _("The field “%(name)s” of the file is missing or damaged.")
            raise PushKeyRefused(words % {"name": name}, field="file")
    # Where a token is fetched is for this server to say and for no file.
    if found.get("token_uri", settings.MUSTER_FCM_TOKEN_URL) != settings.MUSTER_FCM_TOKEN_URL:
        raise PushKeyRefused(
            _("This file names a token service other than Google's."), field="file"
        )
    if not isinstance(found.get("private_key"), str):
        raise PushKeyRefused(_("There is no private key in this file."), field="file")
    return found


def fingerprint_of(text: str) -> str:
    """Return what is compared instead of a token."""
    return hashlib.sha256(text.encode()).hexdigest()

"""Certificates of devices: issued once per challenge, renewed by their holder, revoked."""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.db import transaction

from core import clock, history, ids
from core.actors import Actor
from core.models import Tenant
from core.pki import ca
from core.pki.keys import public_key_sha256
from core.services.keys import BACKDATING, LoadedKey
from devices.models import Identity
from devices.states import MANAGED

IDENTITY_VALIDITY = dt.timedelta(days=730)


@transaction.atomic
def issue(
    *,
    tenant: Tenant,
    authority: LoadedKey,
    public_key: rsa.RSAPublicKey,
    session_id: uuid.UUID | None,
    transaction_id: str = "",
    renewed_from: Identity | None = None,
    actor: Actor,
    validity: dt.timedelta = IDENTITY_VALIDITY,
) -> Identity:
    """Issue and record a certificate for the key. Raises PkiError.

    The caller has consumed what pays for it, in the same transaction. The subject is ours: the
    row's own id, which says nothing to anybody. A renewal is bound to the device at once.
    """
    identity_id, now = ids.uuid7(), clock.now()
    certificate = ca.issue_identity(
        authority=authority.certificate,
        authority_key=authority.key,
        public_key=public_key,
        subject=ca.name(str(identity_id), tenant.name),
        not_before=now - BACKDATING,
        not_after=now + validity,
    )
    encoded = certificate.public_bytes(serialization.Encoding.DER)
    identity = Identity.objects.create(
        id=identity_id,
        tenant=tenant,
        device_id=renewed_from.device_id if renewed_from else None,
        session_id=session_id,
        issuer_key_id=authority.row_id,
        sha256=hashlib.sha256(encoded).hexdigest(),
        serial_number=f"{certificate.serial_number:x}",
        certificate=encoded,
        public_key_sha256=public_key_sha256(public_key),
        transaction_id=transaction_id,
        not_after=certificate.not_valid_after_utc,
        renewed_from=renewed_from,
    )
    action = "devices.identity.renewed" if renewed_from else "devices.identity.issued"
    data = {"sha256": identity.sha256, "session": str(session_id) if session_id else None}
    history.record(identity, action, actor=actor, data=data)
    return identity


def find_issued(
    *, tenant: Tenant, session_id: uuid.UUID, transaction_id: str, public_key: rsa.RSAPublicKey
) -> Identity | None:
    """What the session's challenge already paid for, for a client that lost the reply. One query.

    By transaction and key: some clients use one transaction id for ever, and a challenge that
    was used up must not serve a second key.
    """
    return (
        Identity.objects.live()
        .filter(
            tenant=tenant,
            session_id=session_id,
            transaction_id=transaction_id,
            public_key_sha256=public_key_sha256(public_key),
            renewed_from=None,
        )
        .first()
    )


@transaction.atomic
def renew(
    *,
    signer_sha256: str,
    tenant: Tenant,
    authority: LoadedKey,
    public_key: rsa.RSAPublicKey,
    transaction_id: str,
    actor: Actor,
) -> Identity | None:
    """Issue the successor of a live identity, or give out the one already issued for that key.

    None when the signer is not an identity that may renew: unknown, revoked, superseded, never
    bound, or of a device that is not managed any more. The signer's row is the lock. A successor
    that was never used ends when another one is asked for.
    """
    signer = (
        Identity.objects.live()
        .select_for_update(of=("self",))
        .filter(tenant=tenant, sha256=signer_sha256, superseded_at=None)
        .filter(device__archived_at=None, device__state__in=MANAGED)
        .first()
    )
    if signer is None:
        return None
    unused: list[Identity] = list(
        Identity.objects.live().filter(renewed_from=signer, first_used_at=None)
    )
    wanted = (transaction_id, public_key_sha256(public_key))
    for successor in unused:
        if (successor.transaction_id, successor.public_key_sha256) == wanted:
            return successor
        _revoke(successor, reason="replaced before use", actor=actor)
    return issue(
        tenant=tenant,
        authority=authority,
        public_key=public_key,
        session_id=signer.session_id,
        transaction_id=transaction_id,
        renewed_from=signer,
        actor=actor,
    )


@transaction.atomic
def revoke_unused(*, session_id: uuid.UUID, reason: str, actor: Actor) -> int:
    """Revoke what an ended session was given and no device ever used; returns how many."""
    unused = (
        Identity.objects.live()
        .select_for_update(of=("self",))
        .filter(session_id=session_id, device=None)
    )
    return sum(_revoke(identity, reason=reason, actor=actor) for identity in unused)


def _revoke(identity: Identity, *, reason: str, actor: Actor) -> int:
    identity.revoked_at, identity.revoked_reason = clock.now(), reason[:80]
    identity.save(update_fields=["revoked_at", "revoked_reason"])
    data = {"reason": reason, "sha256": identity.sha256}
    history.record(identity, "devices.identity.revoked", actor=actor, data=data)
    return 1

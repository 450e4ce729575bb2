"""A tenant's own keys and certificates: made once, sealed at rest, opened once per process."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
from dataclasses import dataclass
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.db import transaction
from django.db.models import QuerySet

from core import clock, history, ids, secrets
from core.actors import Actor
from core.models import KeyPurpose, StoredKey, Tenant
from core.pki import ca
from core.pki import keys as pki_keys
from core.pki.envelope import Recipient

AUTHORITY_VALIDITY = dt.timedelta(days=3650)
SIGNER_VALIDITY = dt.timedelta(days=1825)
# Devices whose clocks run a little behind must not find a certificate that is not valid yet.
BACKDATING = dt.timedelta(hours=1)

_COMMON_NAMES = {
    KeyPurpose.DEVICE_CA: "Device identity authority",
    KeyPurpose.SIGNING_ROOT: "Signing root",
    KeyPurpose.PROFILE_SIGNER: "Profile signing",
    KeyPurpose.SCRIPT_SIGNER: "Script signing",
}
_SIGNERS = {
    KeyPurpose.PROFILE_SIGNER: ca.issue_profile_signer,
    KeyPurpose.SCRIPT_SIGNER: ca.issue_script_signer,
}


class KeyMissing(Exception):
    """The tenant has no live key for the purpose: the server was not bootstrapped."""


@dataclass(frozen=True)
class LoadedKey:
    """An opened key. `chain` holds the issuers, the certificate's own issuer first."""

    row_id: str
    certificate: x509.Certificate
    key: pki_keys.PrivateKey
    chain: tuple[x509.Certificate, ...]

    @property
    def recipient(self) -> Recipient:
        """The key as somebody who opens envelopes. Raises TypeError unless it is RSA."""
        if not isinstance(self.key, rsa.RSAPrivateKey):
            raise TypeError("only an RSA key opens envelopes")
        return Recipient(self.certificate, self.key)


@transaction.atomic
def create_tenant_keys(*, tenant: Tenant, actor: Actor) -> list[StoredKey]:
    """Make what the tenant lacks: device CA, signing root, profile and script signer. Idempotent.

    Takes about half a second of computing for the RSA key. Returns the new rows.
    """
    Tenant.objects.select_for_update().get(pk=tenant.pk)
    live = set(_current(tenant).values_list("purpose", flat=True))
    return [
        rotate(tenant=tenant, purpose=purpose, actor=actor)
        for purpose in _COMMON_NAMES
        if purpose not in live
    ]


@transaction.atomic
def rotate(*, tenant: Tenant, purpose: KeyPurpose, actor: Actor) -> StoredKey:
    """Make a new key for the purpose; from now on it issues or signs.

    Older ones stay live, so that what they issued is still accepted, until `retire`.
    """
    now = clock.now()
    subject = ca.name(f"{ca.cut(tenant.name, 36)} {_COMMON_NAMES[purpose]}", tenant.name)
    validity = {"not_before": now - BACKDATING, "not_after": now + AUTHORITY_VALIDITY}
    if purpose == KeyPurpose.DEVICE_CA:
        authority_key = pki_keys.generate_rsa(3072)
        certificate = ca.make_device_ca(key=authority_key, subject=subject, **validity)
        return _store(tenant, purpose, authority_key, certificate, (), actor)
    key = pki_keys.generate_p256()
    if purpose == KeyPurpose.SIGNING_ROOT:
        certificate = ca.make_signing_root(key=key, subject=subject, **validity)
        return _store(tenant, purpose, key, certificate, (), actor)
    root = current(tenant, KeyPurpose.SIGNING_ROOT)
    certificate = _SIGNERS[purpose](
        root=root.certificate,
        root_key=root.key,
        public_key=key.public_key(),
        subject=subject,
        not_before=now - BACKDATING,
        not_after=now + SIGNER_VALIDITY,
    )
    return _store(tenant, purpose, key, certificate, (root.certificate,), actor)


@transaction.atomic
def retire(*, row: StoredKey, actor: Actor) -> None:
    """End a key: nothing that it issued or signed is accepted by this server any more."""
    if StoredKey.objects.filter(pk=row.pk, retired_at=None).update(retired_at=clock.now()):
        history.record(row, "core.key.retired", actor=actor, data={"purpose": row.purpose})


def live(tenant: Tenant, purpose: KeyPurpose) -> list[LoadedKey]:
    """Every live key of the purpose, the current one first. One query. Raises KeyMissing."""
    found = [open_row(row) for row in _current(tenant).filter(purpose=purpose)]
    if not found:
        raise KeyMissing(f"no {purpose} for tenant {tenant.slug}")
    return found


def current(tenant: Tenant, purpose: KeyPurpose) -> LoadedKey:
    """The key that issues or signs now. One query. Raises KeyMissing."""
    return live(tenant, purpose)[0]


def open_row(row: StoredKey) -> LoadedKey:
    """Open one row, from the cache of the process when it was opened before. No query."""
    return _opened(
        str(row.pk), bytes(row.sealed_key), bytes(row.certificate), tuple(row.chain), row.sha256
    )


def seal_context(row_id: object) -> str:
    """What `StoredKey.sealed_key` is sealed for: a key cannot be moved to another row."""
    return f"stored_key:{row_id}"


def _current(tenant: Tenant) -> QuerySet[StoredKey]:
    return StoredKey.objects.filter(tenant=tenant).exclude(sha256="").current()


@lru_cache(maxsize=256)
def _opened(
    row_id: str, sealed: bytes, certificate: bytes, chain: tuple[str, ...], sha256: str
) -> LoadedKey:
    if hashlib.sha256(certificate).hexdigest() != sha256:
        raise secrets.SecretError("the certificate of a stored key was changed")
    # The seal is authenticated, so that what opens is what we made.
    data = secrets.unseal(sealed, context=seal_context(row_id))
    key = pki_keys.load_private(data, is_trusted=True)
    return LoadedKey(
        row_id=row_id,
        certificate=x509.load_der_x509_certificate(certificate),
        key=key,
        chain=tuple(x509.load_der_x509_certificate(base64.b64decode(item)) for item in chain),
    )


def _store(
    tenant: Tenant,
    purpose: KeyPurpose,
    key: pki_keys.PrivateKey,
    certificate: x509.Certificate,
    chain: tuple[x509.Certificate, ...],
    actor: Actor,
) -> StoredKey:
    row_id = ids.uuid7()
    encoded = certificate.public_bytes(serialization.Encoding.DER)
    row = StoredKey.objects.create(
        id=row_id,
        tenant=tenant,
        purpose=purpose,
        sealed_key=secrets.seal(pki_keys.dump_private(key), context=seal_context(row_id)),
        certificate=encoded,
        chain=[
            base64.b64encode(one.public_bytes(serialization.Encoding.DER)).decode() for one in chain
        ],
        sha256=hashlib.sha256(encoded).hexdigest(),
        not_after=certificate.not_valid_after_utc,
    )
    data = {"purpose": str(purpose), "sha256": row.sha256}
    history.record(row, "core.key.created", actor=actor, data=data)
    return row

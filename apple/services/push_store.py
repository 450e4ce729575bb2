"""Rows of push certificates and signing requests: written, found, opened."""

from __future__ import annotations

import base64
import uuid
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from apple.gateways.apns_tls import Credentials
from apple.protocol.push_certificate import PushCertificate
from core import ids, secrets
from core.models import KeyPurpose, StoredKey, Tenant
from core.pki import keys as pki_keys
from core.services import keys

MOST_ROWS = 200


def certificates(tenant_id: uuid.UUID) -> list[StoredKey]:
    """Return the certificates in use, the one for new enrollments first. One query.

    An older one of another topic stays in use for the devices that listen on its topic. A
    practice certificate never stands in front of a real one.
    """
    rows = StoredKey.objects.filter(tenant_id=tenant_id, purpose=KeyPurpose.APNS_PUSH)
    return sorted(rows.exclude(sha256="").current(), key=is_practice)


def open_requests(tenant_id: uuid.UUID) -> list[StoredKey]:
    """Return the signing requests that nobody answered yet, the newest first. One query."""
    rows = StoredKey.objects.filter(tenant_id=tenant_id, purpose=KeyPurpose.APNS_PUSH, sha256="")
    return list(rows.current())


def is_practice(row: StoredKey) -> bool:
    return bool(row.data.get("is_practice"))


def topic_of(row: StoredKey) -> str:
    return str(row.data["topic"])


def credentials_of(row: StoredKey) -> Credentials:
    """Open a certificate for the gateway. No query."""
    loaded = keys.open_row(row)
    return Credentials(row.sha256, loaded.certificate, _rsa(loaded.key), loaded.chain)


def row_of_key(tenant: Tenant, public_key_sha256: str) -> StoredKey | None:
    """Find whose key a certificate is for, also among answered requests: Apple renews a
    certificate for the same key when asked to."""
    rows = StoredKey.objects.filter(tenant=tenant, purpose=KeyPurpose.APNS_PUSH)
    newest = rows.order_by("-created_at")[:MOST_ROWS]
    found = (row for row in newest if row.data.get("public_key") == public_key_sha256)
    return next(found, None) if public_key_sha256 else None


def private_key(row: StoredKey) -> rsa.RSAPrivateKey:
    data = secrets.unseal(bytes(row.sealed_key), context=keys.seal_context(row.pk))
    return _rsa(pki_keys.load_private(data))


def store(
    tenant: Tenant,
    key: rsa.RSAPrivateKey,
    *,
    certificate: PushCertificate | None = None,
    data: dict[str, Any],
) -> StoredKey:
    """Write a signing request, or a certificate, with its sealed key."""
    row_id = ids.uuid7()
    row = StoredKey(
        id=row_id,
        tenant=tenant,
        purpose=KeyPurpose.APNS_PUSH,
        sealed_key=secrets.seal(pki_keys.dump_private(key), context=keys.seal_context(row_id)),
        data=data | {"public_key": pki_keys.public_key_sha256(key.public_key())},
    )
    if certificate is not None:
        row.certificate = certificate.der
        row.sha256 = sha256(certificate.certificate)
        row.not_after = certificate.certificate.not_valid_after_utc
        row.chain = [_encoded(one) for one in certificate.chain]
        row.data["topic"] = certificate.topic
    row.save(force_insert=True)
    return row


def sha256(certificate: x509.Certificate) -> str:
    return certificate.fingerprint(hashes.SHA256()).hex()


def _encoded(certificate: x509.Certificate) -> str:
    return base64.b64encode(certificate.public_bytes(serialization.Encoding.DER)).decode()


def _rsa(key: pki_keys.PrivateKey) -> rsa.RSAPrivateKey:
    if not isinstance(key, rsa.RSAPrivateKey):
        raise TypeError("push certificates have RSA keys")
    return key

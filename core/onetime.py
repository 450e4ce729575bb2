"""Issues, finds and consumes one-time secrets."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import secrets
from typing import Any

from django.db import models

from core import clock
from core.models import OneTimeSecret, Tenant


def new_token(size: int = 16) -> str:
    """Return `size` random bytes as lower-case base32 without padding: short, any-case, typable."""
    return base64.b32encode(secrets.token_bytes(size)).decode().rstrip("=").lower()


def token_hash(token: str) -> str:
    """Return what is stored of a token; it has 128 bits, so a fast hash is enough."""
    return hashlib.sha256(token.strip().lower().encode()).hexdigest()


def subject_of(obj: models.Model) -> str:
    return f"{obj._meta.model_name}:{obj.pk}"


def issue(
    *,
    tenant: Tenant,
    purpose: str,
    subject: str,
    ttl: dt.timedelta,
    data: dict[str, Any] | None = None,
    token_bytes: int = 16,
) -> tuple[OneTimeSecret, str]:
    """Create a secret and return it with its token, which is not kept anywhere."""
    token = new_token(token_bytes)
    row = OneTimeSecret.objects.create(
        tenant=tenant,
        purpose=purpose,
        subject=subject,
        hash=token_hash(token),
        data=data or {},
        expires_at=clock.now() + ttl,
    )
    return row, token


def find(purpose: str, token: str) -> OneTimeSecret | None:
    """Return the live secret of this token, or None; reading consumes nothing. One query."""
    if not token or len(token) > 128:
        return None
    return (
        OneTimeSecret.objects.live(clock.now())
        .filter(purpose=purpose, hash=token_hash(token))
        .select_related("tenant")
        .first()
    )


def consume(row: OneTimeSecret) -> bool:
    """Use the secret; True for exactly one caller, however many try at once."""
    now = clock.now()
    used = OneTimeSecret.objects.live(now).filter(pk=row.pk).update(used_at=now)
    if used:
        row.used_at = now
    return bool(used)


def void(purpose: str, subject: str, *, but: OneTimeSecret | None = None) -> int:
    """End every live secret of a subject, except `but`; returns how many."""
    now = clock.now()
    rows = OneTimeSecret.objects.live(now).filter(purpose=purpose, subject=subject)
    if but is not None:
        rows = rows.exclude(pk=but.pk)
    return rows.update(voided_at=now)

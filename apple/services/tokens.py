"""Seals and opens what devices entrust to us: push credentials, unlock and bootstrap tokens."""

from __future__ import annotations

import hashlib
import json
import uuid
from dataclasses import dataclass, field

from core import secrets
from devices.models import Channel


@dataclass(frozen=True, slots=True)
class PushCredentials:
    """Token and magic of one channel; they only work together."""

    token: bytes = field(repr=False)
    magic: str = field(repr=False)

    @property
    def token_sha256(self) -> str:
        return hashlib.sha256(self.token).hexdigest()

    @property
    def pair_sha256(self) -> str:
        return hashlib.sha256(self.token + b"\0" + self.magic.encode()).hexdigest()


def seal_push(channel_id: uuid.UUID, credentials: PushCredentials) -> bytes:
    body = json.dumps({"token": credentials.token.hex(), "magic": credentials.magic})
    return secrets.seal(body.encode(), context=f"push:{channel_id}")


def open_push(channel: Channel) -> PushCredentials | None:
    """Return the push credentials of a channel, or None when it has none. No query."""
    if not channel.sealed_push:
        return None
    body = json.loads(secrets.unseal(bytes(channel.sealed_push), context=f"push:{channel.pk}"))
    return PushCredentials(token=bytes.fromhex(body["token"]), magic=body["magic"])


def seal_unlock(device_id: uuid.UUID, token: bytes) -> bytes:
    return secrets.seal(token, context=f"unlock:{device_id}")


def open_unlock(device_id: uuid.UUID, sealed: bytes) -> bytes:
    return secrets.unseal(bytes(sealed), context=f"unlock:{device_id}")


def seal_bootstrap(device_id: uuid.UUID, token: bytes) -> bytes:
    return secrets.seal(token, context=f"bootstrap:{device_id}")


def open_bootstrap(device_id: uuid.UUID, sealed: bytes) -> bytes:
    return secrets.unseal(bytes(sealed), context=f"bootstrap:{device_id}")

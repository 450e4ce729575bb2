"""Secrets at rest: sealed with AES-256-GCM under the key-encryption key of the server."""

from __future__ import annotations

import base64
import binascii
import os
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

_VERSION = b"\x01"
_NONCE_SIZE = 12


class SecretError(Exception):
    """A sealed value cannot be opened: another key, another context, or damage."""


def parse_kek(text: str) -> tuple[AESGCM, ...]:
    """Read MUSTER_KEK: comma-separated base64 keys of 32 bytes; the first one seals."""
    ciphers = []
    for part in filter(None, (item.strip() for item in text.split(","))):
        try:
            key = base64.b64decode(part, validate=True)
        except binascii.Error as error:
            raise ImproperlyConfigured("MUSTER_KEK must be base64.") from error
        if len(key) != 32:
            raise ImproperlyConfigured("Each key in MUSTER_KEK must have 32 bytes.")
        ciphers.append(AESGCM(key))
    if not ciphers:
        raise ImproperlyConfigured("MUSTER_KEK is missing.")
    return tuple(ciphers)


_ciphers = lru_cache(maxsize=4)(parse_kek)


def seal(data: bytes, *, context: str) -> bytes:
    """Encrypt `data`. `context` names the row or field, so that values cannot be swapped."""
    nonce = os.urandom(_NONCE_SIZE)
    cipher = _ciphers(settings.MUSTER_KEK)[0]
    return _VERSION + nonce + cipher.encrypt(nonce, data, context.encode())


def unseal(blob: bytes | memoryview, *, context: str) -> bytes:
    """Decrypt what `seal` made with the same context. Raises SecretError."""
    blob = bytes(blob)
    if len(blob) < 1 + _NONCE_SIZE + 16 or blob[:1] != _VERSION:
        raise SecretError("not a sealed value")
    nonce, body = blob[1 : 1 + _NONCE_SIZE], blob[1 + _NONCE_SIZE :]
    for cipher in _ciphers(settings.MUSTER_KEK):
        try:
            return cipher.decrypt(nonce, body, context.encode())
        except InvalidTag:
            continue
    raise SecretError("sealed under another key or for another purpose")

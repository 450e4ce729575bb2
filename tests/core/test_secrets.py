from __future__ import annotations

import base64
import os

import pytest
from django.core.exceptions import ImproperlyConfigured

from core import secrets


def fresh_key() -> str:
    return base64.b64encode(os.urandom(32)).decode()


def test_opens_what_it_sealed():
    assert secrets.unseal(secrets.seal(b"pin", context="a"), context="a") == b"pin"


def test_refuses_a_value_moved_to_another_place():
    with pytest.raises(secrets.SecretError):
        secrets.unseal(secrets.seal(b"pin", context="device:1"), context="device:2")


@pytest.mark.parametrize("position", [0, 5, 20, -1])
def test_refuses_a_changed_byte(position):
    blob = bytearray(secrets.seal(b"a secret", context="a"))
    blob[position] ^= 1
    with pytest.raises(secrets.SecretError):
        secrets.unseal(bytes(blob), context="a")


def test_still_opens_with_the_old_key_after_a_rotation(settings):
    old, new = fresh_key(), fresh_key()
    settings.MUSTER_KEK = old
    blob = secrets.seal(b"x", context="a")
    settings.MUSTER_KEK = f"{new},{old}"
    assert secrets.unseal(blob, context="a") == b"x"
    resealed = secrets.seal(b"x", context="a")
    settings.MUSTER_KEK = new
    assert secrets.unseal(resealed, context="a") == b"x"
    with pytest.raises(secrets.SecretError):
        secrets.unseal(blob, context="a")


@pytest.mark.parametrize("text", ["", " , ", "short", base64.b64encode(b"x" * 16).decode(), "é"])
def test_refuses_a_key_that_is_none(text):
    with pytest.raises((ImproperlyConfigured, ValueError)):
        secrets.parse_kek(text)

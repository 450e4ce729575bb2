"""Secrets that a command gets when it is handed out, because the device may change them."""

from __future__ import annotations

import base64
from typing import Any

from apple.models import AppleDevice
from apple.services import tokens
from devices.models import Device

UNLOCKS = "ClearPasscode"


def secrets_of(device: Device, kind: str) -> dict[str, Any]:
    """Return the secrets of a kind of command as they are now; one query where there are any."""
    if kind != UNLOCKS:
        return {}
    sealed = AppleDevice.objects.filter(device_id=device.pk).values_list(
        "sealed_unlock_token", flat=True
    )
    token = sealed.first()
    if not token:
        return {}
    opened = tokens.open_unlock(device.pk, bytes(token))
    return {"unlock_token": base64.b64encode(opened).decode()}

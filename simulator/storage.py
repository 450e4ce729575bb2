"""Keeping simulated devices between runs: one property list per device in a folder."""

from __future__ import annotations

import dataclasses
import os
import plistlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from . import profile as profiles
from .cms import Identity
from .devices import Device, IPad, IPhone, Mac
from .devices.channel import Channel
from .devices.facts import Facts
from .ledger import Ledger

KINDS: dict[str, type[Device]] = {kind.kind: kind for kind in (IPhone, IPad, Mac)}
MEMORY = ("is_supervised", "has_passcode", "is_off", "is_lost", "unlock_token")
USER_FIELDS = ("user_id", "short_name", "long_name")


def save(device: Device, folder: Path) -> None:
    """Write a managed device, its private key included, readable by the owner only."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"{device.udid}.plist"
    if not device.is_managed:
        path.unlink(missing_ok=True)
        return
    fresh = path.with_suffix(".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        plistlib.dump(_describe(device), file)
    fresh.replace(path)


def load_all(
    folder: Path, http: Callable[[], httpx2.Client], *, ledger: Ledger | None = None
) -> list[Device]:
    """The devices of a folder, each with a client of its own, as they were saved."""
    return [
        _restore(plistlib.loads(path.read_bytes(), fmt=plistlib.FMT_XML), http(), ledger)
        for path in sorted(folder.glob("*.plist"))
    ]


def _describe(device: Device) -> dict[str, Any]:
    identity = device.client.identity
    return {
        "kind": device.kind,
        "facts": dataclasses.asdict(device.facts),
        "style": device.style,
        "key": identity.key.private_bytes(
            serialization.Encoding.DER,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
        "certificate": identity.certificate.public_bytes(serialization.Encoding.DER),
        "profile": device.managed_by.content,
        "signers": [
            signer.public_bytes(serialization.Encoding.DER) for signer in device.managed_by.signers
        ],
        "channels": [_describe_channel(channel) for channel in device.channels],
        "lock_pin": device.lock_pin,
        "is_locked": device.is_locked,
        "memory": {name: getattr(device, name) for name in MEMORY},
        "user": {name: getattr(device, name, "") for name in USER_FIELDS},
    }


def _describe_channel(channel: Channel) -> dict[str, Any]:
    described = dataclasses.asdict(channel)
    return {key: value for key, value in described.items() if value is not None}


def _restore(saved: dict[str, Any], http: httpx2.Client, ledger: Ledger | None) -> Device:
    device = KINDS[saved["kind"]](
        Facts(**saved["facts"]), http, ledger=ledger, style=saved["style"]
    )
    key = serialization.load_der_private_key(saved["key"], password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError(f"{device.udid}: the saved key is not an RSA key")
    identity = Identity(key, x509.load_der_x509_certificate(saved["certificate"]))
    signers = tuple(x509.load_der_x509_certificate(der) for der in saved["signers"])
    device.manage_with(profiles.from_plist(saved["profile"], signers=signers), identity)
    device.channels = [Channel(**channel) for channel in saved["channels"]]
    device.lock_pin, device.is_locked = saved["lock_pin"], saved["is_locked"]
    for name, value in saved.get("memory", {}).items():
        if name in MEMORY:
            setattr(device, name, value)
    for name in USER_FIELDS:
        if isinstance(device, Mac):
            setattr(device, name, saved["user"][name])
    return device

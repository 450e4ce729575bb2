"""Waking devices: what a fake APNs calls, and what a device without pushes does by itself."""

from __future__ import annotations

import threading

from .devices import Device


class Doorbell:
    """Knows which device and channel owns a push token; a ring marks the device as awake."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._devices: list[Device] = []
        self._awake: set[str] = set()
        self._rung = threading.Event()
        self.unknown_tokens: list[str] = []

    def register(self, device: Device) -> None:
        with self._lock:
            self._devices.append(device)

    def ring(self, token_hex: str, magic: str) -> bool:
        """A push arrived. False when no device has this token with this magic."""
        with self._lock:
            for device in self._devices:
                for channel in device.channels:
                    if channel.token.hex() == token_hex.lower() and channel.magic == magic:
                        self._awake.add(device.udid)
                        self._rung.set()
                        return True
            self.unknown_tokens.append(token_hex)
            return False

    def take_awake(self) -> set[str]:
        """UDIDs rung since the last call."""
        with self._lock:
            awake, self._awake = self._awake, set()
            self._rung.clear()
            return awake

    def wait(self, seconds: float) -> bool:
        """Wait for a ring, at most so long."""
        return self._rung.wait(seconds)

"""What every simulated Apple device does once it is managed: obey, leave, be erased."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from ..errors import SimulatorError, Unenrolled
from .channel import Channel, converse
from .enrolling import Enrolling

Answer = Callable[["Device", Channel, dict[str, Any]], dict[str, Any]]


class Device(Enrolling, ABC):
    """One device; `answers` maps each RequestType that it knows to what it does about it."""

    kind: ClassVar[str] = ""
    answers: ClassVar[Mapping[str, Answer]] = {}
    user_commands: ClassVar[frozenset[str]] = frozenset()

    is_supervised = False
    has_passcode = False
    place = (48.8584, 2.2945)

    def forget(self) -> None:
        super().forget()
        self.lock_pin = ""
        self.is_locked = False
        self.is_off = False
        self.is_lost = False
        self.unlock_token = b""
        self.answers_once = False
        self._deferred: list[Callable[[], None]] = []

    # --- living

    def poll(self) -> int:
        """Connect on every channel until the server is content; returns commands executed.

        A server that unenrolls the device is obeyed: `is_managed` is False afterwards.
        """
        executed = 0
        for channel in list(self.channels):
            if not self.is_managed or self.is_locked or self.is_off:
                break
            try:
                executed += converse(self, channel)
            except Unenrolled as order:
                self.ledger.step(self.udid, "unenrolled_by_server", str(order.status))
                self.forget()
        return executed

    # --- leaving

    def defer(self, action: Callable[[], None]) -> None:
        """Do something after the current result has reached the server."""
        self._deferred.append(action)

    def run_deferred(self) -> None:
        actions, self._deferred = self._deferred, []
        for action in actions:
            action()

    def leave(self, *, online: bool = True) -> None:
        """Drop management; when online and asked to, say CheckOut once without retrying."""
        says_so = online and self.managed_by.mdm.checks_out
        if says_so:
            try:
                self.client.check_in({"MessageType": "CheckOut", **self._who()}, once=True)
            except SimulatorError:
                says_so = False
        self.ledger.step(self.udid, "checked_out" if says_so else "left_silently")
        self.forget()

    def lock_with(self, pin: str) -> None:
        """Restart into the lock screen; nobody is answered until the PIN has been typed."""
        self.lock_pin, self.is_locked = pin, True
        self.ledger.step(self.udid, "locked")

    def unlock(self, pin: str) -> bool:
        """Somebody types a PIN at the lock screen."""
        if self.is_locked and pin == self.lock_pin:
            self.is_locked = False
            self.ledger.step(self.udid, "unlocked")
        return not self.is_locked

    def shut_down(self) -> None:
        """Nobody is answered until somebody switches it on."""
        self.is_off = True
        self.ledger.step(self.udid, "shut_down")

    def switch_on(self) -> None:
        self.is_off = False
        self.ledger.step(self.udid, "switched_on")

    def erase(self) -> None:
        """Back to the factory: nothing is sent, nothing is remembered."""
        self.forget()
        self.is_erased = True
        self.ledger.step(self.udid, "erased")

    # --- facts that answers need

    def information(self) -> dict[str, Any]:
        """Every DeviceInformation query that this device can answer."""
        facts = self.facts
        return {
            "UDID": facts.udid,
            "DeviceName": facts.device_name,
            "OSVersion": facts.os_version,
            "BuildVersion": facts.build,
            "ModelName": facts.model_name,
            "Model": facts.model_number,
            "ModelNumber": facts.model_number,
            "ProductName": facts.product_name,
            "SerialNumber": facts.serial,
            "DeviceCapacity": facts.capacity,
            "AvailableDeviceCapacity": round(facts.capacity * 0.43, 2),
            "BatteryLevel": 0.81,
            "WiFiMAC": facts.wifi_mac,
            "BluetoothMAC": facts.bluetooth_mac,
            "AwaitingConfiguration": False,
            "IsActivationLockEnabled": False,
            "iTunesStoreAccountIsActive": True,
            "PushToken": self.device_channel.token,
            "SoftwareUpdateDeviceID": f"{facts.product_name}AP",
        }

    @abstractmethod
    def security(self) -> dict[str, Any]: ...

    @abstractmethod
    def applications(self) -> list[dict[str, Any]]: ...

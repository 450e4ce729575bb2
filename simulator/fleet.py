"""Many devices at once: threads, a doorbell and a polling interval."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from .devices import Device
from .errors import SimulatorError
from .push import Doorbell


@dataclass
class Outcome:
    """What became of one device's turn: commands executed, or why it failed."""

    device: Device
    executed: int = 0
    error: SimulatorError | None = None


@dataclass
class Fleet:
    """Devices that live: they poll when rung, and every `poll_seconds` anyway."""

    devices: list[Device] = field(default_factory=list)
    workers: int = 8
    poll_seconds: float = 15.0
    doorbell: Doorbell = field(default_factory=Doorbell)

    def __post_init__(self) -> None:
        for device in self.devices:
            self.doorbell.register(device)
        self._due: dict[str, float] = {}

    def add(self, device: Device) -> None:
        self.devices.append(device)
        self.doorbell.register(device)

    def each(
        self, action: Callable[[Device], int | None], devices: Sequence[Device] | None = None
    ) -> list[Outcome]:
        """Run `action` for every device at once; failures of one do not stop the others."""

        def attempt(device: Device) -> Outcome:
            try:
                return Outcome(device, executed=action(device) or 0)
            except SimulatorError as error:
                return Outcome(device, error=error)

        with ThreadPoolExecutor(max_workers=self.workers) as pool:
            return list(pool.map(attempt, self.devices if devices is None else devices))

    def live(self, stop: threading.Event, report: Callable[[Outcome], None]) -> None:
        """Until `stop`: poll whoever was rung or is due; every turn with an event is reported."""
        while not stop.is_set():
            self.doorbell.wait(0.5)
            turn = list(self._due_now(self.doorbell.take_awake()))
            for outcome in self.each(lambda device: device.poll(), turn):
                if outcome.executed or outcome.error:
                    report(outcome)

    def _managed(self) -> list[Device]:
        return [device for device in tuple(self.devices) if device.is_managed]

    def _due_now(self, awake: set[str]) -> Iterable[Device]:
        now = time.monotonic()
        for device in self._managed():
            if device.udid in awake or self._due.get(device.udid, 0.0) <= now:
                self._due[device.udid] = now + self.poll_seconds
                yield device

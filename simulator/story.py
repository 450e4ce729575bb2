"""One line per step of what simulated people and devices do, for somebody who watches."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from .devices import Device
from .fleet import Outcome
from .ledger import Ledger

STEPS = {
    "identity_issued": "has its identity certificate ({detail})",
    "identity_renewed": "renewed its identity certificate",
    "authenticated": "checked in",
    "token_updated": "can be woken by pushes ({detail})",
    "bootstrap_token_escrowed": "escrowed its bootstrap token",
    "enrolled": "is enrolled",
    "enrollment_replaced": "installed an updated enrollment profile",
    "checked_out": "removed its management and said so",
    "left_silently": "removed its management without a word",
    "unenrolled_by_server": "was told to drop its management ({detail})",
    "screen_locked": "locked its screen {detail}",
    "locked": "is locked and waits for its PIN",
    "unlocked": "was unlocked with the PIN",
    "erased": "erased itself",
}


class Story:
    """Tells what happens, line by line; safe to use from a fleet's threads."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._lock = threading.Lock()
        self._names: dict[str, str] = {}
        self.ledger = Ledger(on_step=self.step)

    def introduce(self, device: Device, owner: str = "") -> None:
        """Give a device the name that its lines begin with."""
        facts = device.facts
        name = f"{owner} · {facts.model_name}" if owner else facts.device_name
        self._names[device.udid] = f"{name} ({facts.serial})"

    def name_of(self, device: Device) -> str:
        return self._names.get(device.udid, device.udid)

    def tell(self, who: str, what: str) -> None:
        with self._lock:
            self._say(f"{time.strftime('%H:%M:%S')}  {who}: {what}")

    def step(self, udid: str, step: str, detail: str) -> None:
        text = STEPS.get(step, step).format(detail=detail).strip()
        self.tell(self._names.get(udid, udid), text)

    def turn(self, outcome: Outcome) -> None:
        """Report a device's turn in which something happened."""
        name = self.name_of(outcome.device)
        if outcome.error is not None:
            self.tell(name, f"could not connect: {outcome.error}")
        elif outcome.executed:
            done = self.ledger.executions(outcome.device.udid)[-outcome.executed :]
            kinds = ", ".join(f"{item.request_type} → {item.status}" for item in done)
            self.tell(name, kinds)

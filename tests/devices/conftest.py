"""A channel backend that only writes down what it is asked."""

from __future__ import annotations

import pytest

from devices import channels
from devices.models import CommandRank
from devices.services import commands, lifecycle


class PaperBackend:
    """Queues plain commands like a real protocol, and counts the wake-ups."""

    def __init__(self) -> None:
        self.woken, self.offered = [], frozenset({"check_in", "lock", "retire", "wipe"})

    def wake(self, channel) -> None:
        self.woken.append(channel.pk)

    def actions(self, device) -> frozenset[str]:
        return self.offered

    def needs_pin(self, device) -> bool:
        return device.platform == "mac"

    def check_in(self, device, *, actor) -> None:
        self._queue(device, "Inventory", actor)

    def request(self, device, action, *, actor, params, reason):
        return self._queue(device, action, actor, params=params, reason=reason)

    def lock(self, device, *, actor, pin, message, phone, reason):
        return self._queue(device, "Lock", actor, secret_params={"pin": pin} if pin else None)

    def retire(self, device, *, actor, reason):
        return self._queue(device, "Retire", actor, rank=CommandRank.ORDER, desired_key="retire")

    def wipe(self, device, *, actor, pin, options, reason):
        return self._queue(
            device, "Wipe", actor, rank=CommandRank.ORDER, secret_params={"pin": pin}
        )

    def _queue(self, device, kind, actor, **fields):
        channel = lifecycle.device_channel(device)
        return commands.enqueue(channel=channel, kind=kind, actor=actor, **fields)


@pytest.fixture(autouse=True)
def backend(monkeypatch):
    paper = PaperBackend()
    monkeypatch.setitem(channels._backends, "apple", paper)
    return paper

"""A command and its answer as they went over the wire, without their secrets."""

from __future__ import annotations

from dataclasses import dataclass

from devices import channels
from devices.models import Command


@dataclass(frozen=True, slots=True)
class Told:
    """Texts in the format of the channel; `answer` is empty when none was kept."""

    request: str
    answer: str


def show(*, command: Command) -> Told:
    """Return both directions of a command. Raises NotSupported for a channel nobody speaks."""
    backend = channels.backend_of(command.device.channel_kind)
    return Told(request=backend.request_text(command), answer=backend.answer_text(command))

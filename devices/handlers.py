"""The registry of what happens when a command moves: protocols and apps above fill it."""

from __future__ import annotations

from typing import Any, Protocol

from devices.models import Command


class CommandHandler(Protocol):
    """Called in the transaction of the move, with the command's row locked."""

    def on_sent(self, command: Command) -> None:
        """The command was handed out for the first time."""

    def on_acknowledged(self, command: Command, result: dict[str, Any]) -> None:
        """The device did it; `result` is the raw answer."""

    def on_failed(self, command: Command) -> None:
        """The device refused: see `command.error`."""

    def on_expired(self, command: Command) -> None:
        """No answer came before the deadline."""


class SilentHandler:
    """Does nothing; the base for handlers that care about one move only."""

    def on_sent(self, command: Command) -> None: ...

    def on_acknowledged(self, command: Command, result: dict[str, Any]) -> None: ...

    def on_failed(self, command: Command) -> None: ...

    def on_expired(self, command: Command) -> None: ...


_handlers: dict[str, CommandHandler] = {}
_silent = SilentHandler()


def register(kind: str, handler: CommandHandler) -> None:
    """Let `handler` see the moves of commands of `kind`; called in `AppConfig.ready()`."""
    _handlers[kind] = handler


def handler_of(kind: str) -> CommandHandler:
    return _handlers.get(kind, _silent)

"""Polling with a deadline, so that no test sleeps for a guessed time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")


def until(
    probe: Callable[[], Found], *, seconds: float = 10, step: float = 0.02, what: str = ""
) -> Found:
    """Return the first truthy answer of `probe`; raise AssertionError after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        found = probe()
        if found:
            return found
        if time.monotonic() >= deadline:
            name = what or getattr(probe, "__name__", "the condition")
            raise AssertionError(f"waited {seconds:g} s for {name}; last answer: {found!r}")
        time.sleep(step)

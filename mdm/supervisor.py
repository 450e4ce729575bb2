"""Keeps child processes running, their output in log files, and stops them without leftovers."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from logging.handlers import RotatingFileHandler
from pathlib import Path

TETHER = Path(__file__).with_name("tether.py")
LOG_BYTES, LOG_FILES = 10_000_000, 5
POLL_SECONDS = 0.2
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 8.0
# A child that lived this long has recovered: its next death starts with a short pause again.
STABLE_SECONDS = 60.0
STOP_SECONDS = 20.0


@dataclass(frozen=True)
class Program:
    """A child process: a name for logs and messages, and its command line."""

    name: str
    command: Sequence[str]


class Child:
    """One program, its current process, and when to start it again."""

    def __init__(self, program: Program, log_folder: Path) -> None:
        self.program = program
        self.popen: subprocess.Popen[bytes] | None = None
        self.started_at = 0.0
        self.restart_at = 0.0
        self.pause = FIRST_PAUSE_SECONDS
        self._log = _file_logger(program.name, log_folder)

    def start(self) -> None:
        # A session of its own: Ctrl-C in the terminal reaches the supervisor only, and whatever
        # the program starts can be ended together with it.
        self.popen = subprocess.Popen(  # noqa: S603 - our own command lines
            [sys.executable, str(TETHER), str(os.getpid()), *self.program.command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.started_at = time.monotonic()
        threading.Thread(target=self._copy_output, args=(self.popen,), daemon=True).start()

    @property
    def is_running(self) -> bool:
        return self.popen is not None and self.popen.poll() is None

    def note_death(self) -> float:
        """Clear away what the dead process left behind; return the pause before the restart."""
        self.signal_group(signal.SIGKILL)
        now = time.monotonic()
        if now - self.started_at >= STABLE_SECONDS:
            self.pause = FIRST_PAUSE_SECONDS
        pause, self.pause = self.pause, min(self.pause * 2, LONGEST_PAUSE_SECONDS)
        self.restart_at = now + pause
        self.popen = None
        return pause

    def signal_group(self, number: signal.Signals) -> None:
        if self.popen is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.popen.pid, number)

    def ask_to_stop(self) -> None:
        if self.popen is not None and self.popen.poll() is None:
            self.popen.terminate()

    def _copy_output(self, popen: subprocess.Popen[bytes]) -> None:
        assert popen.stdout is not None  # noqa: S101 - opened as a pipe above
        for line in popen.stdout:
            self._log.info(line.decode(errors="replace").rstrip("\n"))


class Supervisor:
    """Runs programs until SIGTERM, SIGINT or SIGHUP; a program that ends is started again."""

    def __init__(
        self, programs: Sequence[Program], *, log_folder: Path, say: Callable[[str], None]
    ) -> None:
        log_folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.children = [Child(program, log_folder) for program in programs]
        self._log_folder, self._say = log_folder, say
        self._stop_signals = 0

    def run(self, *, is_ready: Callable[[], bool], announce: Callable[[], None]) -> None:
        """Start everything, `announce` once `is_ready`, keep it alive; return when told to stop."""
        previous = {
            number: signal.signal(number, self._note_signal)
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
        }
        try:
            for child in self.children:
                child.start()
            is_announced = False
            while not self._stop_signals:
                self._revive()
                if not is_announced and is_ready():
                    is_announced = True
                    announce()
                time.sleep(POLL_SECONDS)
        finally:
            self.stop()
            for number, handler in previous.items():
                signal.signal(number, handler)

    def stop(self) -> None:
        """Ask every child to stop, wait, and end by force what is left. A second signal hurries."""
        self._say("Stopping.")
        for child in self.children:
            child.ask_to_stop()
        deadline = time.monotonic() + STOP_SECONDS
        while any(child.is_running for child in self.children):
            if time.monotonic() >= deadline or self._stop_signals > 1:
                break
            time.sleep(0.05)
        for child in self.children:
            child.signal_group(signal.SIGKILL)
            if child.popen is not None:
                child.popen.wait()

    def _revive(self) -> None:
        for child in self.children:
            if child.popen is None:
                if time.monotonic() >= child.restart_at:
                    child.start()
            elif child.popen.poll() is not None:
                code, name = child.popen.returncode, child.program.name
                pause = child.note_death()
                log = self._log_folder / f"{name}.log"
                self._say(
                    f"{name} ended ({_reason(code)}); starting it again in {pause:g} s: {log}"
                )

    def _note_signal(self, number: int, frame: object) -> None:
        self._stop_signals += 1


def _reason(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"


def _file_logger(name: str, folder: Path) -> logging.Logger:
    handler = RotatingFileHandler(
        folder / f"{name}.log", maxBytes=LOG_BYTES, backupCount=LOG_FILES, delay=True
    )
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger = logging.Logger(f"supervisor.{name}")
    logger.addHandler(handler)
    return logger

"""What simulated devices were handed and what they executed, kept outside the server's reach."""

from __future__ import annotations

import plistlib
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

DESTRUCTIVE = ("EraseDevice", "DeviceLock", "ClearPasscode", "RemoveProfile")
Listener = Callable[[str, str, str], None]
SCHEMA = """
CREATE TABLE IF NOT EXISTS deliveries (
    id INTEGER PRIMARY KEY, udid TEXT, channel TEXT, uuid TEXT, request_type TEXT,
    command BLOB, at REAL);
CREATE TABLE IF NOT EXISTS executions (
    id INTEGER PRIMARY KEY, udid TEXT, channel TEXT, uuid TEXT, request_type TEXT,
    status TEXT, at REAL);
CREATE TABLE IF NOT EXISTS steps (
    id INTEGER PRIMARY KEY, udid TEXT, step TEXT, detail TEXT, at REAL);
CREATE INDEX IF NOT EXISTS executions_uuid ON executions (uuid);
"""


@dataclass(frozen=True)
class Execution:
    udid: str
    channel: str
    uuid: str
    request_type: str
    status: str


class Ledger:
    """One SQLite file (or memory) shared by a fleet's threads.

    A delivery is a command seen on the wire, an execution is a command acted upon. A real device
    acts on every delivery of the same UUID again, and so do the simulated ones.
    """

    def __init__(self, path: str = ":memory:", *, on_step: Listener | None = None) -> None:
        self.on_step = on_step
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.executescript(SCHEMA)

    def close(self) -> None:
        self._connection.close()

    def delivered(self, udid: str, channel: str, command: dict[str, Any]) -> None:
        row = (udid, channel, command["CommandUUID"], command["Command"]["RequestType"])
        self._write(
            "INSERT INTO deliveries (udid, channel, uuid, request_type, command, at)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (*row, plistlib.dumps(command["Command"]), time.time()),
        )

    def executed(self, udid: str, channel: str, command: dict[str, Any], status: str) -> None:
        row = (udid, channel, command["CommandUUID"], command["Command"]["RequestType"], status)
        self._write(
            "INSERT INTO executions (udid, channel, uuid, request_type, status, at)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (*row, time.time()),
        )

    def step(self, udid: str, step: str, detail: str = "") -> None:
        """Note a milestone of the device's life: installed, authenticated, erased, …"""
        self._write(
            "INSERT INTO steps (udid, step, detail, at) VALUES (?, ?, ?, ?)",
            (udid, step, detail, time.time()),
        )
        if self.on_step is not None:
            self.on_step(udid, step, detail)

    def deliveries_of(self, uuid: str) -> int:
        return int(self._read("SELECT count(*) FROM deliveries WHERE uuid = ?", (uuid,))[0][0])

    def executions(self, udid: str | None = None) -> list[Execution]:
        """Every command acted upon, in order; NotNow is not an action."""
        rows = self._read(
            "SELECT udid, channel, uuid, request_type, status FROM executions"
            " WHERE status <> 'NotNow' AND (? IS NULL OR udid = ?) ORDER BY id",
            (udid, udid),
        )
        return [Execution(*row) for row in rows]

    def executed_twice(self) -> list[str]:
        """CommandUUIDs acted upon more than once: must be empty (trust: no double effect)."""
        rows = self._read(
            "SELECT uuid FROM executions WHERE status <> 'NotNow' GROUP BY uuid HAVING count(*) > 1"
        )
        return [row[0] for row in rows]

    def destructive(self) -> list[Execution]:
        return [e for e in self.executions() if e.request_type in DESTRUCTIVE]

    def commands_received(self, udid: str | None = None) -> list[dict[str, Any]]:
        """The Command dictionaries as they came over the wire."""
        rows = self._read(
            "SELECT command FROM deliveries WHERE ? IS NULL OR udid = ? ORDER BY id", (udid, udid)
        )
        return [plistlib.loads(row[0], fmt=plistlib.FMT_XML) for row in rows]

    def steps(self, udid: str) -> list[str]:
        rows = self._read("SELECT step FROM steps WHERE udid = ? ORDER BY id", (udid,))
        return [row[0] for row in rows]

    def _write(self, statement: str, values: tuple[Any, ...]) -> None:
        with self._lock:
            self._connection.execute(statement, values)

    def _read(self, statement: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._connection.execute(statement, values).fetchall()

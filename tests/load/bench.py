"""One run of every measurement against a whole server on one database."""

from __future__ import annotations

import base64
import itertools
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from simulator.devices.enrolling import new_key
from tests.e2e.field import Field
from tests.e2e.server import Server
from tests.fakes.apns import FakeAPNs
from tests.fakes.postgres import PostgresServer
from tests.fakes.smtp import FakeSMTP
from tests.fakes.waiting import until
from tests.load import pages, proc, reminders, work
from tests.load.fleet import RULES
from tests.load.meter import Meter
from tests.load.rows import Row
from tests.load.wire import Sample

THREADS = 4
Say = Callable[[str], None]


@dataclass(frozen=True)
class Size:
    devices: int
    polls: int
    commands: int
    reminders: int = 1000
    fleet: int = 100_000


class DurablePostgres(PostgresServer):
    """As an operator runs it: what is committed is on disk."""

    settings = ("max_connections=60",)


@contextmanager
def sqlite(folder: Path) -> Iterator[tuple[dict[str, str], Callable[[], list[int]]]]:
    """The embedded default; its database works inside the web process."""
    yield {}, list


@contextmanager
def postgresql(folder: Path) -> Iterator[tuple[dict[str, str], Callable[[], list[int]]]]:
    server = DurablePostgres().start()
    try:
        secrets = {"SECRET_KEY": os.urandom(32).hex()}
        secrets["MUSTER_KEK"] = base64.b64encode(os.urandom(32)).decode()
        process = server.process
        assert process is not None
        yield (
            {"DATABASE_URL": server.url, **secrets},
            lambda: [process.pid, *proc.descendants_of(process.pid)],
        )
    finally:
        server.stop()


DATABASES = {"SQLite": sqlite, "PostgreSQL": postgresql}


def run(name: str, size: Size, say: Say) -> list[Row]:
    """Start everything, measure, stop everything."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="muster-bench-")))
        settings, database = stack.enter_context(DATABASES[name](folder))
        mail = stack.enter_context(FakeSMTP())
        apns = stack.enter_context(FakeAPNs())
        server = Server(
            folder,
            MUSTER_TASK_WORKERS="1",
            EMAIL_URL=mail.url,
            MUSTER_APNS_URL=apns.url,
            MUSTER_APNS_CA_FILE=str(apns.authority_path),
            **settings,
        )
        stack.callback(server.stop)
        server.start()
        meter = Meter({"web": lambda: server.pids("web"), "database": database})
        worker = Meter({"web": lambda: server.pids("worker"), "database": database})
        field = Field(server, mail, apns)
        stack.callback(field.close)
        rows = [
            *measure(field, meter, size, say),
            show(field, meter, say),
            remind(field, worker, size, say),
        ]
        beside = Meter({"web": lambda: [field.inside.pid], "database": database})
        return [*rows, *choose(field, beside, size, say)]


def show(field: Field, meter: Meter, say: Say) -> Row:
    say("registration page on a slow phone")
    with meter.running() as usage:
        sample = pages.paint(field)
    return Row("registration page on a slow phone: largest paint", sample, usage)


def remind(field: Field, worker: Meter, size: Size, say: Say) -> Row:
    """The row's CPU is the worker's, the web process has no part in it."""
    say(f"{size.reminders} reminders due at once")
    with worker.running() as usage:
        sample = reminders.hand_over(field, size.reminders)
    return Row(f"reminder, {size.reminders:,} due at once: push and mail", sample, usage)


def choose(field: Field, beside: Meter, size: Size, say: Say) -> list[Row]:
    """Recompute dynamic groups over a fleet; each request is one group, its CPU that of the
    process that does it."""
    say(f"filling the tenant with {size.fleet:,} devices")
    field.inside.call("seed_fleet", devices=size.fleet)
    rows = []
    for name in RULES:
        say(f"dynamic group, {name}")
        begun = time.monotonic()
        with beside.running() as usage:
            seconds = field.inside.call("recompute_groups", rule=name)
        sample = Sample(sorted(seconds), time.monotonic() - begun)
        rows.append(Row(f"dynamic group of {size.fleet:,} devices, {name}", sample, usage))
    return rows


def measure(field: Field, meter: Meter, size: Size, say: Say) -> list[Row]:
    rows = []
    parties = _parties(field, size, say)
    devices = [device for _, device, _ in parties]
    say("registration pages")
    with meter.running() as usage:
        sample, profiles = work.registrations(parties, threads=THREADS)
    rows.append(Row("person: link, PIN, new password, signed profile", sample, usage))
    say("enrollments")
    with meter.running() as usage:
        sample = work.enrollments(devices, profiles, threads=THREADS)
    rows.append(Row("device: SCEP, Authenticate, TokenUpdate", sample, usage))
    for device in devices:
        until(lambda device=device: device.poll() == 0, seconds=60)
    for threads in (1, THREADS):
        say(f"idle polls, {threads} connections")
        with meter.running() as usage:
            sample = work.idle_polls(devices, requests=size.polls, threads=threads)
        rows.append(Row(f"idle poll, {threads} connection{'s' * (threads > 1)}", sample, usage))
    say("command round trips")
    field.inside.call("enqueue", kind="DeviceInformation", params={}, times=size.commands)
    with meter.running() as usage:
        sample = work.round_trips(devices, threads=THREADS)
    rows.append(Row("command round trip: result in, next command out", sample, usage))
    return rows


def _parties(field: Field, size: Size, say: Say) -> list:
    """People with their mails read and their devices unpacked; keys are made beforehand."""
    say(f"inviting {size.devices} people")
    keys = itertools.cycle([new_key(2048) for _ in range(size.devices)])
    parties = [
        (person, field.device("iphone", new_key=lambda _bits: next(keys)), invitation)
        for person, invitation in field.newcomers(size.devices)
    ]
    return parties

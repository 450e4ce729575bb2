"""kill -9 of web and worker in the middle of a hundred enrollments loses and doubles nothing."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from simulator.errors import PageRefused, SimulatorError
from simulator.mailbox import parse_message, read_invitation
from simulator.person import Person
from simulator.wire import Patience
from tests import lanes
from tests.e2e.field import Field
from tests.fakes.waiting import until
from tests.pki_material import rsa_key

PEOPLE, KEYS, HANDS = (100 if lanes.CURRENT == "embedded" else 40), 20, 6
KILLS, PAUSES = 8, (2.0, 8.0)
SECONDS = 420  # on a busy machine; alone it is done in a minute or two


class Killer:
    """Ends a process of the server's at random times, from the beginning until `stop()`."""

    def __init__(self, server, rng: random.Random) -> None:
        self._server, self._rng = server, rng
        self._stop = threading.Event()
        self.killed: list[tuple[float, str, int]] = []
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._began = time.monotonic()
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(10)

    def _run(self) -> None:
        # in turns, so that both kinds die for certain however soon the people are done
        names = self._rng.sample(["web", "worker"], 2) * (KILLS // 2)
        for name in names:
            if self._stop.wait(self._rng.uniform(*PAUSES)):
                return
            pids = self._server.pids(name)
            if pids:
                pid = self._rng.choice(pids)
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                self.killed.append((time.monotonic() - self._began, name, pid))


@pytest.fixture
def server(new_server, smtp, apns):
    """A server that nobody else needs alive; by its name the test runs on both databases."""
    return new_server(
        EMAIL_URL=smtp.url,
        MUSTER_APNS_URL=apns.url,
        MUSTER_APNS_CA_FILE=str(apns.authority_path),
    ).start()


@pytest.fixture
def own_field(server, smtp, apns):
    field = Field(server, smtp, apns)
    yield field
    field.close()


def live(field, person, device, deadline, asked):
    """What a person and a device do, each as patient as real ones, until the device is content."""
    invitation = field.invitation_of(person.email, seconds=deadline - time.monotonic())
    broken = []
    while not device.is_managed:
        browser = person.browser_on(device)
        try:
            person.enroll(device, invitation.link, pin=invitation.pin, browser=browser)
        except SimulatorError as error:
            # a person whose page broke opens the link of the mail again, after a look at the sky:
            # thirty times in a row would be too often for the server
            broken.append(str(error))
            assert time.monotonic() < deadline, f"{person.email} gave up: {broken}"
            if isinstance(error, PageRefused) and "used already" in str(error):
                # the answer to a right PIN was lost, and a PIN works once: the page offers another
                invitation = field.another_pin(person, browser)
                asked[person.email] += 1
            threading.Event().wait(2)
    while True:
        try:
            if device.poll() == 0 and not device.device_channel.unsent:
                return
        except SimulatorError:
            assert time.monotonic() < deadline, f"{device.udid} gave up"


def test_enrollments_survive_kill_9(own_field):
    field, seed = own_field, random.SystemRandom().randrange(2**32)
    sys.stderr.write(f"\nseed of the kills: {seed}\n")
    killer = Killer(field.server, random.Random(seed))
    patience = Patience(seconds=90, pause=0.2)
    keys = [rsa_key(f"simulated-{number}") for number in range(KEYS)]
    people = [Person(f"survivor{number}@people.test") for number in range(PEOPLE)]
    devices = [
        field.device(
            ("iphone", "mac", "ipad")[number % 3],
            patience=patience,
            new_key=lambda _bits, key=keys[number % KEYS]: key,
        )
        for number in range(PEOPLE)
    ]
    asked: Counter[str] = Counter()
    deadline = time.monotonic() + SECONDS
    field.send_invitations(*(person.email for person in people))
    # the first mail shows that the worker is at work: from now on nothing is safe
    field.invitation_of(people[0].email)
    killer.start()
    with ThreadPoolExecutor(HANDS) as pool:
        done = [
            pool.submit(live, field, person, device, deadline, asked)
            for person, device in zip(people, devices, strict=True)
        ]
        for future in done:
            future.result()
    killer.stop()
    sys.stderr.write(f"killed: {killer.killed}\n")
    assert {name for _, name, _ in killer.killed} == {"web", "worker"}
    # whatever a worker held when it died is delivered when its lease has run out, once or twice
    until(lambda: left_open(field, devices) == {}, seconds=300, step=1.0, what="the last work")
    check(field, people, devices, asked)


def left_open(field, devices) -> dict[str, int]:
    """What has still to be done, after every device has asked for its work."""
    for device in devices:
        with contextlib.suppress(SimulatorError):
            device.poll()
    found = field.inside.call("look")
    waiting = {name: found["commands"].get(name, 0) for name in ("queued", "sent", "not_now")}
    waiting["mails"] = found["outbox"].get("pending", 0)
    return {name: count for name, count in waiting.items() if count}


def check(field, people, devices, asked):
    found = field.inside.call("look")
    # nothing lost, nothing doubled: one entry for each device, Active, of its own person
    entries = {(entry["udid"], entry["email"], entry["state"]) for entry in found["devices"]}
    expected = {
        (device.udid, person.email, "active")
        for person, device in zip(people, devices, strict=True)
    }
    assert entries == expected
    assert len(found["devices"]) == PEOPLE
    assert found["invitations"] == {"completed": PEOPLE}
    assert found["sessions"]["active"] == PEOPLE
    assert found["bound_identities"] == PEOPLE
    # what devices executed is what the server holds for done, each once
    assert field.ledger.executed_twice() == []
    executed = Counter(e.uuid for e in field.ledger.executions() if e.status == "Acknowledged")
    assert set(found["acknowledged"]) == set(executed)
    assert set(found["commands"]) == {"acknowledged"}
    # every wish for a mail was fulfilled, and a mail that was sent again says the same
    assert set(found["outbox"]) == {"delivered"}
    for person in people:
        mails = [parse_message(mail.raw) for mail in field.mail.mails_to(person.email)]
        distinct = {(i.link, i.pin) for i in map(read_invitation, mails) if i}
        assert len(distinct) == 1 + asked[person.email]
    assert found["history_is_intact"]
    assert found["untold"] == []
    assert field.oddities() == []

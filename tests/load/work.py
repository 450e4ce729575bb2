"""The pieces of work that are measured: idle polls, command round trips, enrollments."""

from __future__ import annotations

import plistlib
import time
from collections.abc import Callable, Sequence

from simulator.devices import Device
from simulator.mailbox import Invitation
from simulator.mdm import COMMAND_TYPE
from simulator.person import Person
from tests.load.wire import Connection, Sample, measure, prepare

Work = Callable[[], Sequence[float]]
MAX_ROUNDS = 1000


def idle_polls(devices: Sequence[Device], *, requests: int, threads: int) -> Sample:
    """Signed beforehand, so that the simulator's own CPU hardly counts."""
    prepared = [_idle(device) for device in devices]
    url = devices[0].client.server_url

    def piece(number: int) -> Work:
        mine = prepared[number::threads] or prepared

        def run() -> list[float]:
            connection, latencies = Connection(url), list[float]()
            for index in range(requests // threads):
                begun = time.perf_counter()
                status, body = connection.send(mine[index % len(mine)])
                latencies.append(time.perf_counter() - begun)
                if status != 200 or body:
                    raise RuntimeError(f"an idle poll was answered {status}: {body[:200]!r}")
            connection.close()
            return latencies

        return run

    return measure([piece(number) for number in range(threads)], threads=threads)


def _idle(device: Device) -> bytes:
    body = plistlib.dumps({"UDID": device.udid, "Status": "Idle"})
    client = device.client
    return prepare("PUT", client.server_url, client.headers(body, COMMAND_TYPE), body)


def round_trips(devices: Sequence[Device], *, threads: int) -> Sample:
    """Every device works off its queue: a result goes in, the next command comes out."""

    def piece(device: Device) -> Work:
        def run() -> list[float]:
            connection, latencies = Connection(device.client.server_url), list[float]()
            status, reply = connection.send(_idle(device))
            for _ in range(MAX_ROUNDS):
                if status != 200:
                    raise RuntimeError(f"a poll was answered {status}: {reply[:200]!r}")
                if not reply:
                    break
                request = _result(device, plistlib.loads(reply, fmt=plistlib.FMT_XML))
                begun = time.perf_counter()
                status, reply = connection.send(request)
                latencies.append(time.perf_counter() - begun)
            connection.close()
            return latencies

        return run

    return measure([piece(device) for device in devices], threads=threads)


def _result(device: Device, command: dict) -> bytes:
    answer = device.answers[command["Command"]["RequestType"]]
    keys = answer(device, device.device_channel, command["Command"])
    message = {"UDID": device.udid, "CommandUUID": command["CommandUUID"]}
    body = plistlib.dumps({**message, "Status": "Acknowledged", **keys})
    client = device.client
    return prepare("PUT", client.server_url, client.headers(body, COMMAND_TYPE), body)


def registrations(
    parties: Sequence[tuple[Person, Device, Invitation]], *, threads: int
) -> tuple[Sample, list[bytes]]:
    """Link, PIN, new password, profile: what people do. Returns the profiles too."""
    profiles: dict[str, bytes] = {}

    def piece(person: Person, device: Device, invitation: Invitation) -> Work:
        def run() -> list[float]:
            begun = time.perf_counter()
            _, data = person.fetch_profile(device, invitation.link, pin=invitation.pin)
            profiles[device.udid] = data
            return [time.perf_counter() - begun]

        return run

    sample = measure([piece(*party) for party in parties], threads=threads)
    return sample, [profiles[device.udid] for _, device, _ in parties]


def enrollments(devices: Sequence[Device], profiles: Sequence[bytes], *, threads: int) -> Sample:
    """SCEP, Authenticate, TokenUpdate: what devices do with a profile."""

    def piece(device: Device, profile: bytes) -> Work:
        def run() -> list[float]:
            begun = time.perf_counter()
            device.install(profile)
            return [time.perf_counter() - begun]

        return run

    work = [piece(*pair) for pair in zip(devices, profiles, strict=True)]
    return measure(work, threads=threads)

"""What tests do inside a running server's world: look at its rows, and fill its queue.

A process beside the server, with its settings, answers one JSON line for each line that it gets.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from typing import Any

from tests import lanes
from tests.load.fleet import recompute_groups, seed_fleet
from tests.load.inside import reminders_due, reminders_sent


class Inside:
    """`call("look")` runs one of the functions below beside the server."""

    def __init__(self, server: Any) -> None:
        self._process = subprocess.Popen(
            [
                sys.executable,
                "manage.py",
                "shell",
                "-c",
                SERVE,
            ],
            env=server.environment,
            cwd=lanes.ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()

    def __enter__(self) -> Inside:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def call(self, name: str, **arguments: Any) -> Any:
        self._process.stdin.write(json.dumps([name, arguments]) + "\n")
        self._process.stdin.flush()
        for line in self._process.stdout:
            if line.startswith(MARK):
                answer = json.loads(line.removeprefix(MARK))
                if "error" in answer:
                    raise InsideError(answer["error"])
                return answer["value"]
        raise InsideError("the process beside the server ended")


class InsideError(Exception):
    """What a function raised, as text: the class and the message."""


MARK = "inside: "
SERVE = "from tests.e2e import inside; inside.serve()"


def serve() -> None:
    """Answer until the input ends."""
    from django.db import close_old_connections

    for line in sys.stdin:
        name, arguments = json.loads(line)
        close_old_connections()
        try:
            answer = {"value": FUNCTIONS[name](**arguments)}
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        sys.stdout.write(f"{MARK}{json.dumps(answer)}\n")
        sys.stdout.flush()


def look() -> dict[str, Any]:
    """Everything that must hold after whatever happened, in numbers and names."""
    from core.models import HistoryEntry, OutboxMessage, Tenant
    from core.services import chain
    from devices.models import Command, Device, Identity
    from enrollment.models import EnrollmentSession, Invitation

    tenant = Tenant.objects.get()
    chain.seal_pending()
    devices = list(Device.objects.select_related("physical", "user"))
    told = set(HistoryEntry.objects.values_list("object_id", flat=True).distinct())
    commands = Command.objects.all()
    return {
        "devices": [
            {
                "udid": device.physical.key,
                "serial": device.serial,
                "state": device.state,
                "epoch": device.epoch,
                "is_archived": device.archived_at is not None,
                "email": device.user.email if device.user else "",
            }
            for device in devices
        ],
        "commands": _count(Command, "status"),
        "acknowledged": [c.wire_uuid for c in commands.filter(status="acknowledged")],
        "invitations": _count(Invitation, "status"),
        "sessions": _count(EnrollmentSession, "outcome"),
        "outbox": _count(OutboxMessage, "status"),
        "bound_identities": Identity.objects.live().exclude(device=None).count(),
        "history_is_intact": chain.verify(tenant.pk).is_intact,
        "untold": [device.serial for device in devices if str(device.pk) not in told],
    }


def invite(emails: list[str]) -> int:
    from core.actors import Actor
    from core.models import Tenant
    from enrollment.services import invitations

    tenant = Tenant.objects.get()
    return len(invitations.invite(tenant=tenant, emails=emails, actor=Actor.system("tests")))


def make_code(email: str) -> str:
    """The address in a code that a person makes on another screen."""
    from accounts.models import User
    from enrollment.services import qr

    user = User.objects.get(email=email)
    return qr.issue(user=user, actor=user.person_actor).url


def revoke(email: str) -> None:
    from core.actors import Actor
    from enrollment.models import Invitation
    from enrollment.services import invitations

    invitation = Invitation.objects.get(user__email=email)
    invitations.revoke(invitation=invitation, actor=Actor.system("tests"))


def enqueue(kind: str, params: dict[str, Any], times: int) -> int:
    """Queue a command `times` times on the device channel of every active device."""
    from core.actors import Actor
    from devices.models import Channel
    from devices.services import commands

    channels = Channel.objects.filter(user_key="", device__state="active").select_related("device")
    actor = Actor.system("bench")
    for channel in channels:
        for _ in range(times):
            commands.enqueue(channel=channel, kind=kind, actor=actor, params=params)
    return len(channels) * times


def let_wipes_age() -> int:
    """Put every wipe so far an hour back: the next one is not one of too many in a short time."""
    import datetime as dt

    from django.db.models import F

    from devices.models import WipeOrder

    return WipeOrder.objects.update(ordered_at=F("ordered_at") - dt.timedelta(hours=1))


def install_practice() -> bool:
    """Give the tenant a push certificate for loopback, where it has none."""
    from apple.services import push_certificate
    from core.models import Tenant

    return push_certificate.install_practice(tenant=Tenant.objects.get()) is not None


def entries(udid: str) -> list[dict[str, Any]]:
    """Every entry of a device, the newest first."""
    from devices.models import Device

    found = Device.objects.filter(physical__key=udid).order_by("-epoch")
    return [
        {
            "state": device.state,
            "epoch": device.epoch,
            "is_archived": device.archived_at is not None,
            "email": device.user.email if device.user else "",
            "name": device.name,
            "serial": device.serial,
            "os_version": device.os_version,
            "sections": sorted(device.inventory.values_list("kind", flat=True)),
            "commands": [[c.kind, c.status] for c in device.commands.order_by("created_at")],
            "history": _history_of(device),
        }
        for device in found.select_related("user")
    ]


def _history_of(device: Any) -> list[str]:
    from core.models import HistoryEntry

    return list(HistoryEntry.objects.about(device).order_by("id").values_list("action", flat=True))


def _count(model: Any, field: str) -> dict[str, int]:
    return dict(Counter(model.objects.order_by().values_list(field, flat=True)))


FUNCTIONS = {
    function.__name__: function
    for function in (
        reminders_due,
        reminders_sent,
        recompute_groups,
        seed_fleet,
        look,
        invite,
        make_code,
        revoke,
        enqueue,
        entries,
        install_practice,
        let_wipes_age,
    )
}

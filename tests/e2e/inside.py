"""What tests do inside a running server's world: look at its rows, and fill its queue.

Everything runs in a process beside the server, with its settings: `call(server, "look")`.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from typing import Any


def call(server: Any, name: str, **arguments: Any) -> Any:
    """Run one of the functions below beside `server` and return its answer."""
    text = json.dumps(arguments)
    done = server.manage(
        "shell", "-c", f"from tests.e2e import inside; inside.answer({name!r}, {text!r})"
    )
    if done.returncode:
        raise AssertionError(done.stdout + done.stderr)
    return json.loads(done.stdout.strip().splitlines()[-1])


def answer(name: str, arguments: str) -> None:
    found = {"look": look, "enqueue": enqueue, "install_practice": install_practice}[name](
        **json.loads(arguments)
    )
    sys.stdout.write("\n" + json.dumps(found) + "\n")


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


def install_practice() -> bool:
    """Give the tenant a push certificate for loopback, where it has none."""
    from apple.services import push_certificate
    from core.models import Tenant

    return push_certificate.install_practice(tenant=Tenant.objects.get()) is not None


def _count(model: Any, field: str) -> dict[str, int]:
    return dict(Counter(model.objects.order_by().values_list(field, flat=True)))

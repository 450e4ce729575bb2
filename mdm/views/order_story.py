"""The last retire or wipe of a device, step by step: who, when, why."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from core.models import HistoryEntry
from devices.models import Device
from devices.states import PENDING_ORDER, DeviceState
from mdm.words import history as history_words
from mdm.words import values

BEGINNINGS = ("devices.device.retire_pending", "devices.device.wipe_pending")
STEPS = (
    *BEGINNINGS,
    "devices.device.retire_sent",
    "devices.device.wipe_sent",
    "devices.device.retired",
    "devices.device.wiped",
    "devices.retire.cancelled",
    "devices.wipe.cancelled",
    "devices.wipe.failed",
    "devices.order.closed",
)
ENDED = frozenset({DeviceState.RETIRED, DeviceState.WIPED})
MAX_STEPS = 8


def steps(device: Device) -> list[dict[str, Any]]:
    """Return the steps of the order that is under way or that ended the entry, the first first.

    One query for a device with such an order, none for others.
    """
    if device.state not in PENDING_ORDER and device.state not in ENDED:
        return []
    entries = HistoryEntry.objects.about(device).filter(action__in=STEPS).order_by("-id")
    found: list[HistoryEntry] = []
    for entry in entries[:MAX_STEPS]:
        found.insert(0, entry)
        if entry.action in BEGINNINGS:
            break
    return [_step(entry) for entry in found]


def _step(entry: HistoryEntry) -> dict[str, Any]:
    return {
        "text": history_words.words(entry.action).text,
        "at": entry.at,
        "by": values.actor(entry) if entry.actor_kind != "device" else _("the device"),
        "reason": entry.data.get("reason", ""),
    }

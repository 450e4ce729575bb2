"""The states of a device entry and of a command, and the moves between them; no I/O."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from devices.errors import WrongState


class DeviceState(models.TextChoices):
    ENROLLING = "enrolling", _("Enrolling")
    ACTIVE = "active", _("Active")
    RETIRE_PENDING = "retire_pending", _("Retire pending")
    RETIRE_SENT = "retire_sent", _("Retire sent")
    RETIRED = "retired", _("Retired")
    WIPE_PENDING = "wipe_pending", _("Wipe pending")
    WIPE_SENT = "wipe_sent", _("Wipe sent")
    WIPED = "wiped", _("Wiped")
    RESET = "reset", _("Reset")
    UNENROLLED = "unenrolled", _("Unenrolled by the person")
    ABANDONED = "abandoned", _("Never finished")


S = DeviceState

TRANSITIONS: dict[str, frozenset[str]] = {
    S.ENROLLING: frozenset({S.ACTIVE, S.ABANDONED, S.UNENROLLED}),
    S.ACTIVE: frozenset({S.RETIRE_PENDING, S.WIPE_PENDING, S.RESET, S.UNENROLLED, S.RETIRED}),
    S.RETIRE_PENDING: frozenset({S.ACTIVE, S.RETIRE_SENT, S.RETIRED, S.UNENROLLED, S.RESET}),
    S.RETIRE_SENT: frozenset({S.RETIRED, S.ACTIVE, S.RESET}),
    S.RETIRED: frozenset(),
    S.WIPE_PENDING: frozenset({S.ACTIVE, S.WIPE_SENT, S.WIPED, S.UNENROLLED, S.RESET}),
    S.WIPE_SENT: frozenset({S.WIPED, S.ACTIVE, S.RESET}),
    S.WIPED: frozenset(),
    S.RESET: frozenset(),
    S.UNENROLLED: frozenset(),
    # The device may finish late all the same, when it or we were offline at the wrong moment.
    S.ABANDONED: frozenset({S.ACTIVE}),
}

# Managed: the device may talk to us and be given commands.
MANAGED = frozenset(
    {S.ENROLLING, S.ACTIVE, S.RETIRE_PENDING, S.RETIRE_SENT, S.WIPE_PENDING, S.WIPE_SENT}
)
PENDING_ORDER = frozenset({S.RETIRE_PENDING, S.RETIRE_SENT, S.WIPE_PENDING, S.WIPE_SENT})
DELETABLE = frozenset(set(S.values) - {S.ACTIVE, S.ENROLLING, S.RETIRE_SENT, S.WIPE_SENT})


def check_transition(source: str, target: str) -> None:
    """Raise WrongState unless a device entry may go from `source` to `target`."""
    if target not in TRANSITIONS[source]:
        raise WrongState(source=S(source).label, target=S(target).label)


class CommandStatus(models.TextChoices):
    QUEUED = "queued", _("Queued")
    SENT = "sent", _("Sent")
    NOT_NOW = "not_now", _("Device is busy, will be tried again")
    ACKNOWLEDGED = "acknowledged", _("Done")
    ERROR = "error", _("Failed")
    EXPIRED = "expired", _("Expired")
    CANCELLED = "cancelled", _("Cancelled")


C = CommandStatus
OPEN_COMMANDS = frozenset({C.QUEUED, C.SENT, C.NOT_NOW})
COMMAND_TRANSITIONS: dict[str, frozenset[str]] = {
    C.QUEUED: frozenset({C.SENT, C.ACKNOWLEDGED, C.ERROR, C.EXPIRED, C.CANCELLED, C.NOT_NOW}),
    C.SENT: frozenset({C.SENT, C.ACKNOWLEDGED, C.ERROR, C.NOT_NOW, C.EXPIRED, C.CANCELLED}),
    C.NOT_NOW: frozenset({C.SENT, C.NOT_NOW, C.ACKNOWLEDGED, C.ERROR, C.EXPIRED, C.CANCELLED}),
    C.ACKNOWLEDGED: frozenset(),
    C.ERROR: frozenset(),
    C.EXPIRED: frozenset(),
    C.CANCELLED: frozenset(),
}

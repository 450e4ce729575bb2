"""The states of an invitation and of an attempt, and the moves between them; no I/O."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from enrollment.errors import WrongInvitationState


class InvitationStatus(models.TextChoices):
    PENDING = "pending", _("Pending")
    OPENED = "opened", _("Opened")
    IN_PROGRESS = "in_progress", _("In progress")
    COMPLETED = "completed", _("Completed")
    EXPIRED = "expired", _("Expired")
    REVOKED = "revoked", _("Revoked")
    BOUNCED = "bounced", _("Bounced")


I = InvitationStatus  # noqa: E741

TRANSITIONS: dict[str, frozenset[str]] = {
    I.PENDING: frozenset({I.OPENED, I.IN_PROGRESS, I.COMPLETED, I.EXPIRED, I.REVOKED, I.BOUNCED}),
    I.OPENED: frozenset({I.IN_PROGRESS, I.COMPLETED, I.EXPIRED, I.REVOKED}),
    I.IN_PROGRESS: frozenset({I.COMPLETED, I.EXPIRED, I.REVOKED}),
    I.BOUNCED: frozenset({I.PENDING, I.OPENED, I.IN_PROGRESS, I.COMPLETED, I.EXPIRED, I.REVOKED}),
    I.COMPLETED: frozenset({I.REVOKED}),
    # An attempt that began in time may finish after the invitation has run out.
    I.EXPIRED: frozenset({I.COMPLETED}),
    I.REVOKED: frozenset(),
}

OPEN_INVITATIONS = frozenset({I.PENDING, I.OPENED, I.IN_PROGRESS, I.BOUNCED})
# The link still works after the first completion: one invitation, several allowed devices.
USABLE_INVITATIONS = frozenset(OPEN_INVITATIONS | {I.COMPLETED})


def can_become(source: str, target: str) -> bool:
    return target in TRANSITIONS[source]


def check_transition(source: str, target: str) -> None:
    """Raise WrongInvitationState unless an invitation may go from `source` to `target`."""
    if not can_become(source, target):
        raise WrongInvitationState


class SessionStage(models.TextChoices):
    OPENED = "opened", _("Page opened")
    AUTHENTICATED = "authenticated", _("Person confirmed")
    PROFILE_ISSUED = "profile_issued", _("Profile prepared")
    DOWNLOADED = "downloaded", _("Profile downloaded")
    IDENTITY_ISSUED = "identity_issued", _("Identity issued")
    CHECKED_IN = "checked_in", _("Checked in")
    ACTIVE = "active", _("Active")


STAGE_ORDER = tuple(SessionStage.values)


def has_reached(stage: str, wanted: str) -> bool:
    """Say whether `stage` is `wanted` or lies after it."""
    return STAGE_ORDER.index(stage) >= STAGE_ORDER.index(wanted)


class ChannelState(models.TextChoices):
    """Whether reminders can go over a push channel."""

    MISSING = "missing", _("Not set up")
    READY = "ready", _("Ready")
    REFUSED = "refused", _("Refused by the service")


class SessionOutcome(models.TextChoices):
    OPEN = "open", _("In progress")
    ACTIVE = "active", _("Active")
    EXPIRED = "expired", _("Expired")
    CANCELLED = "cancelled", _("Cancelled")
    REFUSED = "refused", _("Refused")


class StoppedReason(models.TextChoices):
    """Why an attempt does not go on; the page and the portal show the words."""

    CHALLENGE_EXPIRED = "challenge_expired", _("The profile was installed too late")
    CHALLENGE_USED = "challenge_used", _("The profile had been used before")
    NOT_FINISHED = "not_finished", _("The device stopped before it was done")
    PROFILE_EXPIRED = "profile_expired", _("The profile was not installed in time")
    DEVICE_LIMIT = "device_limit", _("The person has as many devices as allowed")
    REFUSED_BY_DEVICE = "refused_by_device", _("Management was removed before it was complete")
    REVOKED = "revoked", _("The invitation was revoked")
    DISABLED = "disabled", _("The person was disabled")
    TIMED_OUT = "timed_out", _("Nothing happened for 24 hours")
    SUPERSEDED = "superseded", _("The person started again")
    CANCELLED = "cancelled", _("The person cancelled")
    MOVED = "moved", _("The person went on with the device that scanned the code")
    DISOWNED = "disowned", _("The person said that it was somebody else")


# After these the same attempt goes on with a new profile; after others the person starts again.
RETRYABLE = frozenset(
    {
        StoppedReason.CHALLENGE_EXPIRED,
        StoppedReason.CHALLENGE_USED,
        StoppedReason.NOT_FINISHED,
        StoppedReason.PROFILE_EXPIRED,
        StoppedReason.REFUSED_BY_DEVICE,
    }
)

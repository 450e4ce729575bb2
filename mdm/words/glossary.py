"""The one glossary: the word, the meaning (tone) and the icon of every state that pages show.

A tone is one of four meanings, good, attention, danger, progress, or neutral. Icons are names in
the sprite `static/vendor/tabler/icons.svg`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from core.models.outbox import OutboxStatus
from devices.models import ChannelState as UserChannelState
from devices.models import HoldState, OperationState, Platform, TargetState, WipeOutcome
from devices.states import CommandStatus, DeviceState
from enrollment.models import NoticeChannel, NoticeStatus
from enrollment.states import ChannelState, InvitationStatus, SessionOutcome, SessionStage


@dataclass(frozen=True, slots=True)
class Term:
    label: Any
    tone: str
    icon: str


GOOD, ATTENTION, DANGER, PROGRESS, NEUTRAL = "good", "attention", "danger", "progress", "neutral"

DEVICE = {
    DeviceState.ENROLLING: (PROGRESS, "hourglass"),
    DeviceState.ACTIVE: (GOOD, "circle-check"),
    DeviceState.RETIRE_PENDING: (ATTENTION, "clock"),
    DeviceState.RETIRE_SENT: (ATTENTION, "clock"),
    DeviceState.RETIRED: (NEUTRAL, "archive"),
    DeviceState.WIPE_PENDING: (DANGER, "clock"),
    DeviceState.WIPE_SENT: (DANGER, "clock"),
    DeviceState.WIPED: (NEUTRAL, "eraser"),
    DeviceState.RESET: (NEUTRAL, "rotate"),
    DeviceState.UNENROLLED: (ATTENTION, "plug-connected-x"),
    DeviceState.ABANDONED: (NEUTRAL, "circle-dashed"),
}
COMMAND = {
    CommandStatus.QUEUED: (PROGRESS, "clock"),
    CommandStatus.SENT: (PROGRESS, "send"),
    CommandStatus.NOT_NOW: (ATTENTION, "hourglass"),
    CommandStatus.ACKNOWLEDGED: (GOOD, "circle-check"),
    CommandStatus.ERROR: (DANGER, "alert-triangle"),
    CommandStatus.EXPIRED: (ATTENTION, "circle-x"),
    CommandStatus.CANCELLED: (NEUTRAL, "ban"),
}
INVITATION = {
    InvitationStatus.PENDING: (PROGRESS, "mail"),
    InvitationStatus.OPENED: (PROGRESS, "mail-opened"),
    InvitationStatus.IN_PROGRESS: (PROGRESS, "hourglass"),
    InvitationStatus.COMPLETED: (GOOD, "circle-check"),
    InvitationStatus.EXPIRED: (ATTENTION, "circle-x"),
    InvitationStatus.REVOKED: (NEUTRAL, "ban"),
    InvitationStatus.BOUNCED: (DANGER, "alert-triangle"),
}
STAGE = {
    SessionStage.OPENED: (PROGRESS, "mail-opened"),
    SessionStage.AUTHENTICATED: (PROGRESS, "key"),
    SessionStage.PROFILE_ISSUED: (PROGRESS, "certificate"),
    SessionStage.DOWNLOADED: (PROGRESS, "download"),
    SessionStage.IDENTITY_ISSUED: (PROGRESS, "shield-check"),
    SessionStage.CHECKED_IN: (PROGRESS, "device-mobile"),
    SessionStage.ACTIVE: (GOOD, "circle-check"),
}
OUTCOME = {
    SessionOutcome.OPEN: (PROGRESS, "hourglass"),
    SessionOutcome.ACTIVE: (GOOD, "circle-check"),
    SessionOutcome.EXPIRED: (ATTENTION, "circle-x"),
    SessionOutcome.CANCELLED: (NEUTRAL, "ban"),
    SessionOutcome.REFUSED: (DANGER, "alert-triangle"),
}
MAIL = {
    OutboxStatus.PENDING: (PROGRESS, "clock"),
    OutboxStatus.DELIVERED: (GOOD, "circle-check"),
    OutboxStatus.UNDELIVERABLE: (DANGER, "circle-x"),
    OutboxStatus.QUARANTINED: (DANGER, "alert-triangle"),
    OutboxStatus.CANCELLED: (NEUTRAL, "ban"),
}
PLATFORM = {
    Platform.IPHONE: (NEUTRAL, "device-mobile"),
    Platform.IPAD: (NEUTRAL, "device-tablet"),
    Platform.MAC: (NEUTRAL, "device-laptop"),
    Platform.ANDROID: (NEUTRAL, "device-mobile"),
    Platform.OTHER: (NEUTRAL, "help-circle"),
}
NOTICE = {
    NoticeStatus.QUEUED: (PROGRESS, "clock"),
    NoticeStatus.SENT: (GOOD, "circle-check"),
    NoticeStatus.FAILED: (DANGER, "circle-x"),
    NoticeStatus.CANCELLED: (NEUTRAL, "ban"),
}
NOTICE_CHANNEL = {
    NoticeChannel.MAIL: (NEUTRAL, "mail"),
    NoticeChannel.APP_APNS: (NEUTRAL, "device-mobile"),
    NoticeChannel.APP_FCM: (NEUTRAL, "device-mobile"),
    NoticeChannel.WEB_PUSH: (NEUTRAL, "device-laptop"),
}
PUSH_CHANNEL = {
    ChannelState.MISSING: (NEUTRAL, "circle-dashed"),
    ChannelState.READY: (GOOD, "circle-check"),
    ChannelState.REFUSED: (DANGER, "alert-triangle"),
}
OPERATION = {
    OperationState.HELD: (ATTENTION, "hourglass"),
    OperationState.RUNNING: (PROGRESS, "clock"),
    OperationState.DONE: (GOOD, "circle-check"),
    OperationState.CANCELLING: (ATTENTION, "clock"),
    OperationState.CANCELLED: (NEUTRAL, "ban"),
}
TARGET = {
    TargetState.PENDING: (PROGRESS, "clock"),
    TargetState.DONE: (GOOD, "check"),
    TargetState.FAILED: (DANGER, "alert-triangle"),
    TargetState.SKIPPED: (NEUTRAL, "circle-minus"),
    TargetState.CANCELLED: (NEUTRAL, "ban"),
}
HOLD = {
    HoldState.WAITING: (ATTENTION, "hourglass"),
    HoldState.APPROVED: (GOOD, "circle-check"),
    HoldState.RELEASED: (ATTENTION, "clock"),
    HoldState.STOPPED: (NEUTRAL, "ban"),
    HoldState.EXPIRED: (NEUTRAL, "circle-x"),
}
WIPE = {
    WipeOutcome.ORDERED: (DANGER, "clock"),
    WipeOutcome.SENT: (DANGER, "send"),
    WipeOutcome.WIPED: (NEUTRAL, "eraser"),
    WipeOutcome.CANCELLED: (NEUTRAL, "ban"),
    WipeOutcome.FAILED: (ATTENTION, "circle-x"),
    WipeOutcome.DROPPED: (NEUTRAL, "circle-minus"),
}
USER_CHANNEL = {
    UserChannelState.ENROLLING: (PROGRESS, "hourglass"),
    UserChannelState.ACTIVE: (GOOD, "circle-check"),
    UserChannelState.ENDED: (NEUTRAL, "archive"),
}
VOCABULARIES: dict[str, tuple[Any, dict[Any, tuple[str, str]]]] = {
    "device": (DeviceState, DEVICE),
    "command": (CommandStatus, COMMAND),
    "invitation": (InvitationStatus, INVITATION),
    "stage": (SessionStage, STAGE),
    "outcome": (SessionOutcome, OUTCOME),
    "mail": (OutboxStatus, MAIL),
    "platform": (Platform, PLATFORM),
    "notice": (NoticeStatus, NOTICE),
    "notice_channel": (NoticeChannel, NOTICE_CHANNEL),
    "push_channel": (ChannelState, PUSH_CHANNEL),
    "operation": (OperationState, OPERATION),
    "target": (TargetState, TARGET),
    "hold": (HoldState, HOLD),
    "wipe": (WipeOutcome, WIPE),
    "user_channel": (UserChannelState, USER_CHANNEL),
}


def term(vocabulary: str, value: str) -> Term:
    """Return how a stored value is shown; an unknown value is a KeyError, never a blank badge."""
    choices, looks = VOCABULARIES[vocabulary]
    tone, icon = looks[value]
    return Term(choices(value).label, tone, icon)

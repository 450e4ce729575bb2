"""Models of enrollment."""

from enrollment.models.client import (
    AppPush,
    BrowserSubscription,
    ClientInstallation,
    Notice,
    NoticeChannel,
    NoticeKind,
    NoticeStatus,
)
from enrollment.models.invitation import Invitation
from enrollment.models.session import EnrollmentSession, IssuedProfile
from enrollment.states import InvitationStatus, SessionOutcome, SessionStage, StoppedReason

__all__ = [
    "AppPush",
    "BrowserSubscription",
    "ClientInstallation",
    "EnrollmentSession",
    "Invitation",
    "InvitationStatus",
    "IssuedProfile",
    "Notice",
    "NoticeChannel",
    "NoticeKind",
    "NoticeStatus",
    "SessionOutcome",
    "SessionStage",
    "StoppedReason",
]

"""Models of enrollment."""

from enrollment.models.invitation import Invitation, InvitationStatus
from enrollment.models.session import (
    EnrollmentSession,
    IssuedProfile,
    SessionOutcome,
    SessionStage,
)

__all__ = [
    "EnrollmentSession",
    "Invitation",
    "InvitationStatus",
    "IssuedProfile",
    "SessionOutcome",
    "SessionStage",
]

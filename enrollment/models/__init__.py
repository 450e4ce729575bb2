"""Models of enrollment."""

from enrollment.models.invitation import Invitation
from enrollment.models.session import EnrollmentSession, IssuedProfile
from enrollment.states import InvitationStatus, SessionOutcome, SessionStage, StoppedReason

__all__ = [
    "EnrollmentSession",
    "Invitation",
    "InvitationStatus",
    "IssuedProfile",
    "SessionOutcome",
    "SessionStage",
    "StoppedReason",
]

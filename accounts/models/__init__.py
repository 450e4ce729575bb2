"""Models of people and their access."""

from accounts.models.role import Role
from accounts.models.session import SessionAudience, UserSession
from accounts.models.settings import UserSettings
from accounts.models.terms import AcceptancePlace, TermsAcceptance, TermsOfService
from accounts.models.token import ApiToken
from accounts.models.user import User, UserSource
from accounts.models.view import SavedView

__all__ = [
    "AcceptancePlace",
    "ApiToken",
    "Role",
    "SavedView",
    "SessionAudience",
    "TermsAcceptance",
    "TermsOfService",
    "User",
    "UserSession",
    "UserSettings",
    "UserSource",
]

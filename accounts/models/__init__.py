"""Models of people and their access."""

from accounts.models.attribute import (
    AttributeDefinition,
    AttributeKind,
    AttributeOwner,
    UserAttributeValue,
)
from accounts.models.group import GroupKind, UserGroup, UserGroupMembership
from accounts.models.role import Role
from accounts.models.session import SessionAudience, UserSession
from accounts.models.settings import NetworkAccounts, UserSettings
from accounts.models.terms import AcceptancePlace, TermsAcceptance, TermsOfService
from accounts.models.token import ApiToken
from accounts.models.user import User, UserSource
from accounts.models.view import SavedView

__all__ = [
    "AcceptancePlace",
    "ApiToken",
    "AttributeDefinition",
    "AttributeKind",
    "AttributeOwner",
    "GroupKind",
    "NetworkAccounts",
    "Role",
    "SavedView",
    "SessionAudience",
    "TermsAcceptance",
    "TermsOfService",
    "User",
    "UserAttributeValue",
    "UserGroup",
    "UserGroupMembership",
    "UserSession",
    "UserSettings",
    "UserSource",
]

"""What somebody must show to be confirmed: a PIN, a password, or both."""

from __future__ import annotations

from accounts.models import User, UserSettings
from enrollment.models import EnrollmentSession, Invitation


def needs_pin(user: User, invitation: Invitation | None, policy: UserSettings) -> bool:
    """A link alone authenticates nobody: without a password it is always a PIN."""
    is_asked = policy.require_pin or (invitation is not None and invitation.with_pin)
    return is_asked or not user.has_usable_password()


def needs_password(user: User) -> bool:
    return user.has_usable_password()


def must_choose_password(user: User) -> bool:
    """Say whether a confirmed person has none yet, or one that an administrator made up."""
    return not user.has_usable_password() or user.must_change_password


def missing(session: EnrollmentSession, policy: UserSettings) -> str:
    """Return what an attempt still lacks, ``pin`` before ``password``, or an empty string."""
    user = session.user
    if user is None:
        return "password"
    if session.pin_verified_at is None and needs_pin(user, session.invitation, policy):
        return "pin"
    if session.password_verified_at is None and needs_password(user):
        return "password"
    return ""

"""The links of invitations: made for each mail, kept as hashes, recognised when they come back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from django.conf import settings

from core import clock, onetime
from core.models import OneTimeSecret
from enrollment.models import Invitation, InvitationStatus
from enrollment.states import USABLE_INVITATIONS

PURPOSE = "invitation"
MAX_LENGTH = 128

LinkState = Literal["live", "expired", "ended", "unknown"]


@dataclass(frozen=True, slots=True)
class Link:
    """What a link leads to. `ended` covers revoked, replaced and disabled alike."""

    state: LinkState
    invitation: Invitation | None = None


def create(invitation: Invitation) -> str:
    """Make a new link of an invitation and return its URL; the earlier ones go on working."""
    row, token = onetime.issue(
        tenant=invitation.tenant,
        purpose=PURPOSE,
        subject=onetime.subject_of(invitation),
        ttl=invitation.expires_at - clock.now(),
        # The link is for the address that it is sent to: it dies when the person gets another.
        data={"email": invitation.user.email},
    )
    OneTimeSecret.objects.filter(pk=row.pk).update(expires_at=invitation.expires_at)
    return url_of(token)


def url_of(token: str = "") -> str:
    """Return the public address of the registration pages, never taken from a request."""
    base = f"{settings.MUSTER_PUBLIC_URL}/go"
    return f"{base}/{token}" if token else base


def look_up(token: str) -> Link:
    """Find what a link leads to; reading consumes nothing. Two queries at most."""
    if not token or len(token) > MAX_LENGTH:
        return Link("unknown")
    row = OneTimeSecret.objects.filter(purpose=PURPOSE, hash=onetime.token_hash(token)).first()
    if row is None:
        return Link("unknown")
    invitation = (
        Invitation.objects.filter(pk=row.subject.partition(":")[2], tenant_id=row.tenant_id)
        .select_related("user__tenant", "tenant")
        .first()
    )
    if invitation is None:
        return Link("unknown")
    return Link(_state(row, invitation), invitation)


def _state(row: OneTimeSecret, invitation: Invitation) -> LinkState:
    now, user = clock.now(), invitation.user
    is_other_address = row.data.get("email") != user.email
    is_revoked = invitation.status == InvitationStatus.REVOKED
    if is_revoked or row.voided_at is not None or is_other_address or not user.is_active:
        return "ended"
    is_over = invitation.status not in USABLE_INVITATIONS or invitation.expires_at <= now
    return "expired" if is_over or row.expires_at <= now else "live"


def extend(invitation: Invitation) -> None:
    """Let the links that were sent live as long as the invitation now does."""
    OneTimeSecret.objects.live(clock.now()).filter(
        purpose=PURPOSE, subject=onetime.subject_of(invitation)
    ).update(expires_at=invitation.expires_at)


def void(invitation: Invitation) -> int:
    return onetime.void(PURPOSE, onetime.subject_of(invitation))

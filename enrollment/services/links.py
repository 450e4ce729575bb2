"""The links of invitations: made for each mail, kept as hashes, recognised when they come back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from django.db import transaction

from accounts.services import tenants
from core import clock, history, onetime
from core.actors import Actor
from core.models import OneTimeSecret, Tenant
from enrollment.models import EnrollmentSession, Invitation, InvitationStatus, IssuedProfile
from enrollment.states import USABLE_INVITATIONS

PURPOSE = "invitation"
MAX_LENGTH = 128

LinkState = Literal["live", "expired", "ended", "renewed", "unknown"]


@dataclass(frozen=True, slots=True)
class Link:
    """What a link leads to. `ended` covers revoked, replaced and disabled alike; `renewed` means
    that the organisation ended all links of that time, while the invitation may still be open."""

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
    return url_of(invitation.tenant, token)


def url_of(tenant: Tenant, token: str = "") -> str:
    """Return the address of an organisation's registration pages, never taken from a request."""
    base = f"{tenants.url_of(tenant)}/go"
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
    if is_outdated(row, invitation.tenant):
        return "renewed"
    is_over = invitation.status not in USABLE_INVITATIONS or invitation.expires_at <= now
    return "expired" if is_over or row.expires_at <= now else "live"


def extend(invitation: Invitation) -> None:
    """Let the links that were sent live as long as the invitation now does."""
    OneTimeSecret.objects.live(clock.now()).filter(
        purpose=PURPOSE, subject=onetime.subject_of(invitation)
    ).update(expires_at=invitation.expires_at)


def void(invitation: Invitation) -> int:
    return onetime.void(PURPOSE, onetime.subject_of(invitation))


def is_outdated(row: OneTimeSecret, tenant: Tenant) -> bool:
    """Say whether a link was made before the organisation ended all of them."""
    voided_at = tenant.links_voided_at
    return voided_at is not None and row.created_at <= voided_at


@transaction.atomic
def void_all(*, tenant: Tenant, actor: Actor, reason: str = "") -> Tenant:
    """End every registration link, code and unused profile that exists now; links made from now
    on work. Invitations stay open, PINs stay valid, devices stay enrolled.

    A profile that a device has turned into an identity is left to finish. About seven queries.
    """
    row, now = Tenant.objects.select_for_update().get(pk=tenant.pk), clock.now()
    row.links_voided_at = now
    row.save(update_fields=["links_voided_at"])
    # The attempts are the lock under which profiles are downloaded and used.
    running = EnrollmentSession.objects.open().filter(tenant=row).order_by("pk")
    locked = running.select_for_update(of=("self",)).values_list("pk", flat=True)
    ending = IssuedProfile.objects.filter(
        session__in=list(locked), voided_at=None, challenge__used_at=None
    )
    found = list(ending.values_list("pk", "link_id", "challenge_id"))
    secrets = [pk for _profile, *pair in found for pk in pair]
    OneTimeSecret.objects.live(now).filter(pk__in=secrets).update(voided_at=now)
    IssuedProfile.objects.filter(pk__in=[pk for pk, *_pair in found]).update(
        voided_at=now, erased_at=now, sealed_content=b"", sealed_link=b""
    )
    data = {"reason": reason, "profiles": len(found)}
    history.record(row, "enrollment.links.voided", actor=actor, data=data)
    return row

"""Invites people, sends again, revokes; the mails themselves are written by a worker."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from accounts.errors import AddressTaken
from accounts.models import User, UserSettings
from accounts.services import users
from core import clock, history
from core.actors import Actor
from core.models import OutboxMessage, OutboxStatus, Tenant
from enrollment import addresses, schedule
from enrollment.errors import (
    AddressesRefused,
    AddressRefused,
    NobodyToInvite,
    PersonDisabled,
    TooManyAddresses,
    WrongInvitationState,
)
from enrollment.models import (
    EnrollmentSession,
    Invitation,
    InvitationStatus,
    SessionOutcome,
    StoppedReason,
)
from enrollment.services import ledger, letters, links, pins, progress, sessions

MAX_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Sending:
    """What is the same for everybody who is invited together."""

    actor: Actor
    sender: User | None
    language: str
    with_pin: bool | None
    ownership: str | None = None


@transaction.atomic
def invite(
    *,
    tenant: Tenant,
    emails: Iterable[str],
    actor: Actor,
    sender: User | None = None,
    language: str = "",
    with_pin: bool | None = None,
    ownership: str | None = None,
) -> list[Invitation]:
    """Invite people by address, all or nobody; creates those who are not there yet.

    Somebody whose invitation is open gets a new mail for the same one. `with_pin` asks for a PIN
    even from people who have a password; None leaves it to the policy. `ownership` says
    whose device it will be; None leaves what was said before. The mails are queued in the same
    transaction. Raises AddressesRefused with every address that cannot be invited,
    TooManyAddresses, NobodyToInvite. About twenty queries for a new person.
    """
    wanted = list(emails)
    if not wanted:
        raise NobodyToInvite
    if len(wanted) > MAX_AT_ONCE:
        raise TooManyAddresses(MAX_AT_ONCE)
    sending = Sending(actor, sender, language, with_pin, ownership)
    people, problems = _people(tenant, wanted, sending)
    if problems:
        # Raised out of the transaction, so that nobody was created either.
        raise AddressesRefused(problems)
    return [_invite(user, sending) for user in people]


def _people(
    tenant: Tenant, wanted: list[str], sending: Sending
) -> tuple[list[User], list[AddressRefused]]:
    people: dict[str, User] = {}
    problems = []
    for typed in wanted:
        try:
            address = addresses.normalise(typed)
            if address not in people:
                people[address] = _person(tenant, address, sending)
        except ValidationError as error:
            problems.append(AddressRefused(typed, " ".join(error.messages)))
        except (AddressTaken, PersonDisabled) as error:
            problems.append(AddressRefused(typed, str(error.message)))
    return list(people.values()), problems


def _person(tenant: Tenant, address: str, sending: Sending) -> User:
    user = users.find_or_create(
        tenant=tenant, email=address, actor=sending.actor, language=sending.language
    )
    if not user.is_active:
        raise PersonDisabled
    return user


@transaction.atomic
def invite_user(
    *,
    user: User,
    actor: Actor,
    sender: User | None = None,
    language: str = "",
    with_pin: bool | None = None,
    ownership: str | None = None,
) -> Invitation:
    """Invite somebody who is there already. Raises PersonDisabled."""
    if not User.objects.active().filter(pk=user.pk).exists():
        raise PersonDisabled
    return _invite(user, Sending(actor, sender, language, with_pin, ownership))


@transaction.atomic
def add_person(
    *,
    tenant: Tenant,
    email: str,
    actor: Actor,
    sender: User | None = None,
    is_invited: bool = True,
    ownership: str | None = None,
    **fields: Any,
) -> User:
    """Add a person, and invite them unless told otherwise: both or neither.

    Raises AddressTaken, ValidationError.
    """
    user = users.create(tenant=tenant, email=email, actor=actor, **fields)
    if is_invited:
        invite_user(user=user, actor=actor, sender=sender, ownership=ownership)
    return user


def _invite(user: User, sending: Sending) -> Invitation:
    policy = UserSettings.objects.for_user(user)
    with_pin = policy.require_pin if sending.with_pin is None else sending.with_pin
    invitation, is_new = _open_invitation(user, policy, with_pin)
    if sending.with_pin is not None:
        invitation.with_pin = with_pin
    if sending.language:
        invitation.language = sending.language
    if sending.ownership is not None:
        invitation.ownership = sending.ownership
    _send(invitation, policy, sending, is_new=is_new)
    return invitation


def _open_invitation(user: User, policy: UserSettings, with_pin: bool) -> tuple[Invitation, bool]:
    """Return the one open invitation of a person, made if needed; the constraint is the judge."""
    expires_at = clock.now() + dt.timedelta(days=policy.invitation_days)
    for _attempt in range(3):
        found = Invitation.objects.select_for_update(of=("self",)).open().filter(user=user).first()
        if found is not None and found.expires_at > clock.now():
            return found, False
        if found is not None:
            progress.move(found, InvitationStatus.EXPIRED, actor=Actor.system("expiry"))
        try:
            with transaction.atomic():
                made = Invitation.objects.create(
                    tenant=user.tenant,
                    user=user,
                    with_pin=with_pin,
                    expires_at=expires_at,
                )
            return made, True
        except IntegrityError:
            # Somebody else invited the person in this instant: that one is it.
            continue
    raise WrongInvitationState


def _send(invitation: Invitation, policy: UserSettings, sending: Sending, *, is_new: bool) -> None:
    """Queue the mail and start the reminders afresh; in the caller's transaction."""
    now = clock.now()
    user, sender = invitation.user, sending.sender
    invitation.expires_at = now + dt.timedelta(days=policy.invitation_days)
    invitation.last_sent_at, invitation.sent_count = now, invitation.sent_count + 1
    invitation.sent_by = sender
    invitation.sent_by_label = (sender.name if sender else sending.actor.label)[:254]
    invitation.bounce_reason, invitation.reminders_sent = "", 0
    source = invitation.status
    if source == InvitationStatus.BOUNCED:
        invitation.status = InvitationStatus.PENDING
    invitation.remind_at = None
    if invitation.status == InvitationStatus.PENDING and policy.max_reminders:
        zone = schedule.zone_of(user.time_zone, user.tenant.time_zone)
        invitation.remind_at = schedule.unopened(now=now, zone=zone)
    invitation.save()
    links.extend(invitation)
    word = "sent" if is_new else "resent"
    data = {"expires_at": invitation.expires_at.isoformat(), "number": invitation.sent_count}
    history.record(invitation, f"enrollment.invitation.{word}", actor=sending.actor, data=data)
    letters.queue_invitation(invitation)


@transaction.atomic
def resend(*, invitation: Invitation, actor: Actor, sender: User | None = None) -> Invitation:
    """Send an open invitation again, or a new one if it has ended; returns the one that was sent.

    Raises PersonDisabled.
    """
    return invite_user(
        user=invitation.user,
        actor=actor,
        sender=sender,
        language=invitation.language,
        with_pin=invitation.with_pin or None,
        ownership=invitation.ownership,
    )


def resend_outdated(*, tenant: Tenant, actor: Actor, sender: User | None = None) -> int:
    """Send open invitations again whose links the organisation ended, MAX_AT_ONCE at most, each in
    a transaction of its own; returns how many. What is left is counted by `outdated`."""
    rows = outdated(tenant).select_related("user__tenant").order_by("created_at", "pk")
    batch = list(rows[:MAX_AT_ONCE])
    for invitation in batch:
        resend(invitation=invitation, actor=actor, sender=sender)
    return len(batch)


def outdated(tenant: Tenant) -> QuerySet[Invitation]:
    """Return the open invitations whose last mail carried a link that is dead now."""
    voided_at = Tenant.objects.values_list("links_voided_at", flat=True).get(pk=tenant.pk)
    if voided_at is None:
        return Invitation.objects.none()
    rows = Invitation.objects.open().filter(tenant=tenant, user__is_active=True)
    return rows.filter(last_sent_at__lte=voided_at, expires_at__gt=clock.now())


@transaction.atomic
def revoke(*, invitation: Invitation, actor: Actor, reason: str = "") -> Invitation:
    """End an invitation: its links, the person's PINs, attempts under way, mails not sent yet.

    Raises WrongInvitationState for one that has ended already.
    """
    row = (
        Invitation.objects.select_for_update(of=("self",))
        .select_related("user", "tenant")
        .get(pk=invitation.pk)
    )
    data = {"reason": reason} if reason else None
    if not progress.move(row, InvitationStatus.REVOKED, actor=actor, data=data):
        raise WrongInvitationState
    links.void(row)
    pins.void(row.user)
    for session in EnrollmentSession.objects.open().filter(invitation=row):
        sessions.end(session, SessionOutcome.CANCELLED, StoppedReason.REVOKED, actor=actor)
    OutboxMessage.objects.filter(
        about_type=row._meta.label_lower, about_id=str(row.pk), status=OutboxStatus.PENDING
    ).update(status=OutboxStatus.CANCELLED, finished_at=clock.now(), sealed_body=b"")
    ledger.cancel_of_invitation(row)
    return row


@transaction.atomic
def share_link(*, invitation: Invitation, actor: Actor) -> str:
    """Make a link to hand over by other means; shown once. Raises WrongInvitationState."""
    row = Invitation.objects.usable(clock.now()).filter(pk=invitation.pk).first()
    if row is None:
        raise WrongInvitationState
    history.record(row, "enrollment.link.created", actor=actor)
    return links.create(row)


def note_failed_mail(message: OutboxMessage) -> None:
    """A mail of an invitation was refused for good: say so where the administrator looks."""
    is_ours = message.about_type == Invitation._meta.label_lower
    if not is_ours or message.status != OutboxStatus.UNDELIVERABLE:
        return
    invitation = (
        Invitation.objects.filter(pk=message.about_id, tenant_id=message.tenant_id)
        .select_related("user")
        .first()
    )
    if invitation is None:
        return
    reason = message.last_error[:300]
    Invitation.objects.filter(pk=invitation.pk).update(bounce_reason=reason)
    progress.move(
        invitation,
        InvitationStatus.BOUNCED,
        actor=Actor.system("mail"),
        data={"reason": reason},
    )

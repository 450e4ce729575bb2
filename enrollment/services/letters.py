"""Writes the mails of enrollment. A request only queues that one is wanted; a worker makes the PIN
and the link, renders the mail and queues it, all in one transaction and once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import transaction

from accounts.models import User, UserSettings
from accounts.services import tenants
from core import clock, outbox
from core.actors import Actor
from core.models import OutboxMessage, Tenant
from core.services import mail
from enrollment.models import (
    EnrollmentSession,
    Invitation,
    Notice,
    NoticeChannel,
    NoticeKind,
)
from enrollment.services import factors, links, pins

KIND = "enrollment.letter"
_ACTOR = Actor.system("letters")


def queue_invitation(invitation: Invitation) -> None:
    """Ask for the invitation mail, in the transaction of the invitation."""
    body = {"letter": "invitation", "invitation": str(invitation.pk)}
    outbox.enqueue(
        tenant=invitation.tenant,
        kind=KIND,
        body=body,
        recipient=invitation.user.email,
        about=invitation,
    )


def queue_pin(tenant: Tenant, email: str) -> None:
    """Ask for a mail with a new PIN for an address, known or not: the worker will see.

    The same work for every address, so that neither the answer nor its time tells anything.
    """
    outbox.enqueue(tenant=tenant, kind=KIND, body={"letter": "pin", "email": email})


def queue_link(user: User, invitation: Invitation | None) -> None:
    """Ask for a mail with the link alone, to be opened on the device."""
    body = {
        "letter": "link",
        "user": str(user.pk),
        "invitation": str(invitation.pk) if invitation else "",
    }
    outbox.enqueue(tenant=user.tenant, kind=KIND, body=body, recipient=user.email, about=invitation)


def queue_confirmation(session: EnrollmentSession) -> None:
    """Ask for the mail that says that a device is registered; whether policy wants one is looked
    up by the worker, since the device waits for its answer."""
    user = session.user
    if user is None:
        return
    outbox.enqueue(
        tenant=session.tenant,
        kind=KIND,
        body={"letter": "confirmation", "session": str(session.pk)},
        recipient=user.email,
        about=session,
    )


def write(message: OutboxMessage, body: dict[str, Any]) -> None:
    """Handle one wish; what nobody wants any more is silently dropped. Safe to call twice."""
    _WRITERS[body["letter"]](message, body)


def _write_invitation(message: OutboxMessage, body: dict[str, Any]) -> None:
    invitation = usable_invitation(body["invitation"])
    if invitation is not None:
        send(invitation.user, invitation, "invitation", key=f"letter:{message.pk}")


def _write_pin(message: OutboxMessage, body: dict[str, Any]) -> None:
    user = (
        User.objects.active()
        .filter(tenant_id=message.tenant_id, email__iexact=body["email"])
        .select_related("tenant")
        .first()
    )
    if user is None:
        return
    invitation = newest_usable(user)
    if invitation is None and not user.has_usable_password():
        template = "invitation_ended"
    elif factors.needs_pin(user, invitation, UserSettings.objects.for_user(user)):
        template = "pin"
    else:
        template = "pin_not_needed"
    send(user, invitation, template, key=f"letter:{message.pk}", is_pin_wanted=template == "pin")


def _write_link(message: OutboxMessage, body: dict[str, Any]) -> None:
    invitation = usable_invitation(body["invitation"]) if body["invitation"] else None
    user = invitation.user if invitation else User.objects.active().filter(pk=body["user"]).first()
    if user is None or (body["invitation"] and invitation is None):
        return
    send(user, invitation, "link", key=f"letter:{message.pk}", is_pin_wanted=False)


def _write_confirmation(message: OutboxMessage, body: dict[str, Any]) -> None:
    found = EnrollmentSession.objects.filter(pk=body["session"], user__is_active=True)
    session = found.select_related("user", "tenant", "device").first()
    if session is None or session.user is None or session.device is None:
        return
    user = session.user
    if UserSettings.objects.for_user(user).confirm_registration:
        _confirm(session, user)


@transaction.atomic
def _confirm(session: EnrollmentSession, user: User) -> None:
    """Queue the mail with its entry in the ledger, once."""
    key = f"confirmation:{session.pk}"
    letter = mail.enqueue(
        tenant=session.tenant,
        to=user.email,
        template="registered",
        context={
            "person": user,
            "device": session.device,
            "registered_at": session.active_at,
            "link": f"{tenants.url_of(session.tenant)}/me/",
        },
        language=user.language or session.language,
        time_zone=user.time_zone,
        about=session,
        key=key,
    )
    Notice.objects.get_or_create(
        tenant=session.tenant,
        key=f"{NoticeChannel.MAIL}:{key}",
        defaults={
            "kind": NoticeKind.CONFIRMATION,
            "channel": NoticeChannel.MAIL,
            "message": letter,
            "user": user,
            "recipient": user.email,
            "session": session,
            "invitation": session.invitation,
        },
    )


_WRITERS: dict[str, Callable[[OutboxMessage, dict[str, Any]], None]] = {
    "invitation": _write_invitation,
    "pin": _write_pin,
    "link": _write_link,
    "confirmation": _write_confirmation,
}


def usable_invitation(pk: str) -> Invitation | None:
    return (
        Invitation.objects.usable(clock.now())
        .filter(pk=pk, user__is_active=True)
        .select_related("user__tenant", "tenant")
        .first()
    )


def newest_usable(user: User) -> Invitation | None:
    """Return the invitation that a person can go on with, if there is one. One query."""
    return (
        Invitation.objects.usable(clock.now())
        .filter(user=user)
        .select_related("user__tenant", "tenant")
        .order_by("-created_at")
        .first()
    )


def send(
    user: User,
    invitation: Invitation | None,
    template: str,
    *,
    key: str,
    is_pin_wanted: bool | None = None,
    then: Callable[[OutboxMessage], None] | None = None,
    **context: Any,
) -> None:
    """Write one mail with a fresh link, and with a PIN when the person needs one; once per `key`.

    `is_pin_wanted` None means: when the person could not get on without. `then` is called with
    the queued mail in its transaction.
    """
    policy = UserSettings.objects.for_user(user)
    if is_pin_wanted is None:
        is_pin_wanted = factors.needs_pin(user, invitation, policy)
    drawn = pins.draw(user) if is_pin_wanted else None
    with transaction.atomic():
        # The person's row is the lock: two workers must not both make the PIN of one mail.
        User.objects.select_for_update(of=("self",)).get(pk=user.pk)
        if OutboxMessage.objects.filter(tenant=user.tenant, kind=mail.KIND, key=key).exists():
            return
        pin = pins.issue(user=user, actor=_ACTOR, drawn=drawn) if drawn else None
        message = mail.enqueue(
            tenant=user.tenant,
            to=user.email,
            template=template,
            context={
                "person": user,
                "invitation": invitation,
                "link": links.create(invitation) if invitation else links.url_of(user.tenant),
                "pin": pin,
                "pin_text": grouped(pin.digits) if pin else "",
                "days": _days_left(invitation),
                "has_password": user.has_usable_password(),
                "may_request_pin": policy.may_request_pin,
                **context,
            },
            language=user.language or (invitation.language if invitation else ""),
            time_zone=user.time_zone,
            about=invitation,
            key=key,
        )
        if then is not None:
            then(message)


def grouped(digits: str) -> str:
    """Return digits in groups that can be read aloud; no-break spaces keep them on one line."""
    size = 4 if len(digits) % 4 == 0 else 3
    return "\u00a0".join(digits[at : at + size] for at in range(0, len(digits), size))


def _days_left(invitation: Invitation | None) -> int:
    if invitation is None:
        return 0
    left = invitation.expires_at - clock.now()
    return max(1, round(left.total_seconds() / 86_400))

"""The mails of sign-in: password reset and notices, sent through the outbox."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from accounts.models import SessionAudience, User
from accounts.services import resets
from core import history, outbox
from core.models import OutboxMessage, Tenant
from core.services import mail

KIND = "accounts.letter"
# What allauth calls its notices, and the template that we render for each.
NOTICES = {
    "account/email/password_changed": "password_changed",
    "account/email/password_reset": "password_changed",
    "account/email/password_set": "password_changed",
    "mfa/email/totp_activated": "second_factor_changed",
    "mfa/email/totp_deactivated": "second_factor_changed",
    "mfa/email/recovery_codes_generated": "second_factor_changed",
    "mfa/email/webauthn_added": "second_factor_changed",
    "mfa/email/webauthn_removed": "second_factor_changed",
}
# A changed password is written by the service that changes it.
ACTIONS = {
    "mfa/email/totp_activated": "accounts.second_factor.added",
    "mfa/email/totp_deactivated": "accounts.second_factor.removed",
    "mfa/email/recovery_codes_generated": "accounts.recovery_codes.created",
}


def queue_reset(*, tenant: Tenant, email: str, audience: str = SessionAudience.PORTAL) -> None:
    """Ask for a mail with a link to a new password for an address, known or not.

    The same work for every address, so that neither the answer nor its time tells anything; a
    worker finds out whose address it is.
    """
    body = {"letter": "password_reset", "email": email, "audience": str(audience)}
    outbox.enqueue(tenant=tenant, kind=KIND, body=body)


@transaction.atomic
def write(message: OutboxMessage, body: dict[str, Any]) -> None:
    """Handle one wish: write the mail, for somebody who has a password to lose. Safe twice.

    Who has neither password nor role gets in by a PIN, which a link must not replace.
    """
    user = (
        User.objects.active()
        .filter(email__iexact=body["email"])
        .select_related("tenant")
        .select_for_update(of=("self",))
        .first()
    )
    if user is None or not (user.has_usable_password() or user.is_administrator):
        return
    _enqueue(
        user,
        "password_reset",
        link=resets.link_for(user, body["audience"]),
        key=f"letter:{message.pk}",
    )


@transaction.atomic
def tell(notice: str, user: User) -> None:
    """Tell somebody by mail that sign-in was changed, and the history what it does not know."""
    if notice in ACTIONS:
        history.record(user, ACTIONS[notice], actor=user.actor)
    if notice in NOTICES:
        _enqueue(user, NOTICES[notice])


def _enqueue(user: User, template: str, *, link: str = "", key: str = "") -> None:
    mail.enqueue(
        tenant=user.tenant,
        to=user.email,
        template=template,
        context={"user": user, "link": link},
        language=user.language,
        time_zone=user.time_zone,
        about=user,
        key=key,
    )


def send_test(user: User) -> OutboxMessage:
    """Queue a mail to the person who asks whether mail works."""
    return mail.enqueue(
        tenant=user.tenant,
        to=user.email,
        template="test",
        context={"user": user},
        language=user.language,
        time_zone=user.time_zone,
        about=user,
    )

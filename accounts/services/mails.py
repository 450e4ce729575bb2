"""The mails of sign-in: password reset and notices, sent through the outbox."""

from __future__ import annotations

from typing import Any

from accounts.models import User
from core.services import mail

# What allauth calls its mails, and the template that we render for each.
TEMPLATES = {
    "account/email/password_reset_key": "password_reset",
    "account/email/password_changed": "password_changed",
    "account/email/password_reset": "password_changed",
    "account/email/password_set": "password_changed",
    "mfa/email/totp_activated": "second_factor_changed",
    "mfa/email/totp_deactivated": "second_factor_changed",
    "mfa/email/recovery_codes_generated": "second_factor_changed",
    "mfa/email/webauthn_added": "second_factor_changed",
    "mfa/email/webauthn_removed": "second_factor_changed",
}


def send_account_mail(template_prefix: str, email: str, context: dict[str, Any]) -> None:
    """Queue the mail that allauth asks for; addresses that we do not know get none."""
    template = TEMPLATES.get(template_prefix)
    user = User.objects.filter(email__iexact=email, is_active=True).select_related("tenant").first()
    if template is None or user is None:
        return
    mail.enqueue(
        tenant=user.tenant,
        to=user.email,
        template=template,
        context={"user": user, "link": context.get("password_reset_url", "")},
        language=user.language,
        time_zone=user.time_zone,
        about=user,
    )

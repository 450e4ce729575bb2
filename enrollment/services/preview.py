"""Shows an administrator the invitation mail before anybody gets it; sends and stores nothing."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.conf import settings
from django.utils import timezone, translation

from accounts.models import User, UserSettings
from core import clock
from core.services import mail
from enrollment.models import Invitation
from enrollment.services import letters, links
from enrollment.services.pins import IssuedPin

DIGITS = "12345678901234"


@dataclass(frozen=True, slots=True)
class PreviewedMail:
    to: str
    subject: str
    text: str


def invitation_mail(
    *, sender: User, policy: UserSettings, email: str, language: str = ""
) -> PreviewedMail:
    """Return the mail as somebody without a password would get it, with a made-up link and PIN."""
    now, tenant = clock.now(), sender.tenant
    language = language or tenant.language
    person = User(tenant=tenant, email=email, language=language)
    pin = IssuedPin(
        digits=DIGITS[: policy.pin_length],
        expires_at=now + dt.timedelta(days=policy.pin_days),
        days=policy.pin_days,
    )
    invitation = Invitation(
        tenant=tenant,
        user=person,
        sent_by_label=sender.name,
        expires_at=now + dt.timedelta(days=policy.invitation_days),
    )
    context = {
        "tenant": tenant,
        "language": language,
        "public_url": settings.MUSTER_PUBLIC_URL,
        "person": person,
        "invitation": invitation,
        "link": links.url_of(tenant, "example"),
        "pin": pin,
        "pin_text": letters.grouped(pin.digits),
        "days": policy.invitation_days,
        "has_password": False,
        "may_request_pin": policy.may_request_pin,
    }
    with translation.override(language), timezone.override(tenant.time_zone):
        subject, text = mail.written("invitation", context)
    return PreviewedMail(to=email, subject=subject, text=text)

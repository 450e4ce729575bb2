"""Mails: rendered and queued in the transaction of what they tell about, sent from the outbox."""

from __future__ import annotations

import re
import smtplib
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.core.validators import validate_email
from django.db import models
from django.template.loader import render_to_string
from django.utils import timezone, translation

from core import outbox
from core.models import OutboxMessage, Tenant

KIND = "mail"
_LINE_BREAKS = re.compile(r"[\r\n]+")
# What the conditions of a template leave behind.
_GAPS = re.compile(r"[ \t]*\n(?:[ \t]*\n){2,}")


def enqueue(
    *,
    tenant: Tenant,
    to: str,
    template: str,
    context: dict[str, Any],
    language: str = "",
    time_zone: str = "",
    about: models.Model | None = None,
    key: str = "",
) -> OutboxMessage:
    """Render ``emails/<template>.{subject.txt,txt,html}`` now and queue the mail.

    Rendered in the reader's language and time zone. Raises ValidationError for an address that is
    none. The body may hold a PIN or a link: it is sealed, and erased after delivery.
    """
    validate_email(to)
    language = language or tenant.language
    context = {"tenant": tenant, "language": language, "public_url": settings.MUSTER_PUBLIC_URL} | (
        context
    )
    with translation.override(language), timezone.override(time_zone or tenant.time_zone):
        subject, text = written(template, context)
        html = render_to_string(f"emails/{template}.html", context)
    body = {
        "to": to,
        "subject": subject,
        "text": text,
        "html": html,
        "language": language,
    }
    return outbox.enqueue(tenant=tenant, kind=KIND, body=body, recipient=to, about=about, key=key)


def written(template: str, context: dict[str, Any]) -> tuple[str, str]:
    """Return subject and plain text of a mail as they are sent, in the active language."""
    subject = render_to_string(f"emails/{template}.subject.txt", context)
    text = render_to_string(f"emails/{template}.txt", context)
    return _LINE_BREAKS.sub(" ", subject).strip()[:200], _GAPS.sub("\n\n", text).strip() + "\n"


def send(message: OutboxMessage, body: dict[str, Any]) -> None:
    """Hand one mail to the server. A 5xx answer is final, everything else is tried again."""
    mail = EmailMultiAlternatives(
        subject=body["subject"],
        body=body["text"],
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[body["to"]],
        headers={
            "Message-ID": f"<{message.pk}@{_sender_domain()}>",
            "Content-Language": body.get("language", ""),
            "Auto-Submitted": "auto-generated",
        },
    )
    if body.get("html"):
        mail.attach_alternative(body["html"], "text/html")
    try:
        mail.send()
    except smtplib.SMTPRecipientsRefused as error:
        code, reason = next(iter(error.recipients.values()))
        _refused(code, reason)
    except smtplib.SMTPResponseException as error:
        _refused(error.smtp_code, error.smtp_error)
    except (OSError, smtplib.SMTPException) as error:
        raise outbox.RetryLater(60, f"mail server: {type(error).__name__}") from error
    for listener in _delivery_listeners:
        listener(message)


def _sender_domain() -> str:
    return settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].strip("<> ") or "localhost"


def _refused(code: int, reason: bytes | str) -> None:
    text = reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
    text = f"{code} {text}"[:300]
    # 5xx about our own sign-in to the mail server says nothing about the recipient.
    if 500 <= code < 600 and code not in (530, 534, 535, 538):
        raise outbox.Undeliverable(text)
    raise outbox.RetryLater(120, text)


_failure_listeners: list[Callable[[OutboxMessage], None]] = []
_delivery_listeners: list[Callable[[OutboxMessage], None]] = []


def on_failure(listener: Callable[[OutboxMessage], None]) -> None:
    """Let an app above hear of mails that were given up; called in `AppConfig.ready()`."""
    _failure_listeners.append(listener)


def on_delivery(listener: Callable[[OutboxMessage], None]) -> None:
    """Let an app above hear of mails that the mail server took; called in `AppConfig.ready()`."""
    _delivery_listeners.append(listener)


def tell_of_failure(message: OutboxMessage) -> None:
    for listener in _failure_listeners:
        listener(message)

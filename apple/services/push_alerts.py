"""Mails to the administrators about the push certificate: it ends soon, or Apple refuses it."""

from __future__ import annotations

from django.conf import settings
from django.urls import reverse

from accounts.services import expiry
from accounts.services.expiry import Step
from apple.services import push_store
from core.models import KeyPurpose, StoredKey


def tell_paused(row: StoredKey, *, reason: str) -> None:
    """Queue a mail to every administrator, in the caller's transaction."""
    _tell(row, "push_paused", {"reason": reason})


def warn_of_expiry() -> int:
    """Queue the warnings that are due, for every tenant; returns for how many certificates."""
    rows = expiry.ending([KeyPurpose.APNS_PUSH])
    return sum(expiry.warn(row.pk, _tell_end) for row in rows if not push_store.is_practice(row))


def _tell_end(row: StoredKey, step: Step) -> None:
    _tell(row, "push_expiring", {"days": step.days, "has_ended": step.has_ended})


def _tell(row: StoredKey, template: str, context: dict[str, object]) -> None:
    link = settings.MUSTER_PUBLIC_URL + reverse("settings-push")
    expiry.mail_all(row, template, {"topic": push_store.topic_of(row), "link": link, **context})

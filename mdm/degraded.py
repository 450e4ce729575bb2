"""Which services do not work at the moment, in words, for the banner on every page."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import User
from core import clock
from core.models import OutboxMessage, OutboxStatus

LATE = dt.timedelta(minutes=5)
RECENT = dt.timedelta(hours=24)


def notices(user: User) -> list[dict[str, Any]]:
    """Return a sentence for each thing that stopped working; one query."""
    now = clock.now()
    messages = OutboxMessage.objects.filter(tenant_id=user.tenant_id).filter(
        Q(status=OutboxStatus.PENDING, due_at__lt=now - LATE)
        | Q(status=OutboxStatus.QUARANTINED, finished_at__gt=now - RECENT)
    )
    found = set(messages.values_list("status", flat=True).distinct())
    mail_page = reverse("settings-mail") if user.has("settings.view") else ""
    result = []
    if OutboxStatus.PENDING in found:
        result.append(
            _notice(_("Messages wait for more than five minutes: is a worker running?"), mail_page)
        )
    if OutboxStatus.QUARANTINED in found:
        result.append(_notice(_("Some mails could not be sent and were given up."), mail_page))
    return result


def _notice(sentence: str, url: str) -> dict[str, Any]:
    return {"sentence": sentence, "url": url, "link": _("See the mails")}

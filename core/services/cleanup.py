"""Deletes what has no use any more."""

from __future__ import annotations

import datetime as dt

from core import clock
from core.models import AnsweredCall, OneTimeSecret

KEEP_SPENT = dt.timedelta(days=90)
KEEP_ANSWERED = dt.timedelta(days=3)


def forget_spent_secrets(limit: int = 5000) -> int:
    """Delete one-time secrets that expired long ago and that no profile refers to."""
    old = OneTimeSecret.objects.filter(expires_at__lt=clock.now() - KEEP_SPENT)
    spent = old.exclude(purpose__in=("profile", "scep_challenge")).values_list("pk", flat=True)
    return OneTimeSecret.objects.filter(pk__in=list(spent[:limit])).delete()[0]


def forget_answered_calls(limit: int = 5000) -> int:
    """Delete remembered answers that nobody will ask for again."""
    old = AnsweredCall.objects.filter(created_at__lt=clock.now() - KEEP_ANSWERED)
    ids = list(old.values_list("pk", flat=True)[:limit])
    return AnsweredCall.objects.filter(pk__in=ids).delete()[0]

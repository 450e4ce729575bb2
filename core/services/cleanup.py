"""Deletes what has no use any more."""

from __future__ import annotations

import datetime as dt

from core import clock
from core.models import OneTimeSecret

KEEP_SPENT = dt.timedelta(days=90)


def forget_spent_secrets(limit: int = 5000) -> int:
    """Delete one-time secrets that expired long ago and that no profile refers to."""
    old = OneTimeSecret.objects.filter(expires_at__lt=clock.now() - KEEP_SPENT)
    spent = old.exclude(purpose__in=("profile", "scep_challenge")).values_list("pk", flat=True)
    return OneTimeSecret.objects.filter(pk__in=list(spent[:limit])).delete()[0]

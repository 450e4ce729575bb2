"""Leases by name: what must run once in the whole installation takes one and renews it."""

from __future__ import annotations

import datetime as dt

from django.db import IntegrityError, models, transaction

from core import clock
from core.models import NamedLease


def hold(*, name: str, holder: str, ttl: dt.timedelta) -> bool:
    """Take or renew the lease `name` for `holder`; False while somebody else holds it.

    A holder that stops renewing loses it after `ttl`. One or two queries.
    """
    now = clock.now()
    free_or_own = models.Q(holder=holder) | models.Q(expires_at__lte=now)
    if NamedLease.objects.filter(free_or_own, pk=name).update(holder=holder, expires_at=now + ttl):
        return True
    try:
        with transaction.atomic():
            NamedLease.objects.create(pk=name, holder=holder, expires_at=now + ttl)
    except IntegrityError:
        return False
    return True


def release(*, name: str, holder: str) -> None:
    """Give the lease back, if `holder` still has it."""
    NamedLease.objects.filter(pk=name, holder=holder).delete()

"""Rate limits in the database: they hold on SQLite, without Redis, and over several processes."""

from __future__ import annotations

import datetime as dt
import hashlib

from django.db import IntegrityError, transaction
from django.db.models import F, Value
from django.db.models.functions import Least

from core import clock
from core.models import RateBucket


def _bucket_key(scope: str, key: str) -> str:
    return hashlib.sha256(f"{scope}\0{key}".encode()).hexdigest()


def allow(scope: str, key: str, *, capacity: int, refill_seconds: int) -> bool:
    """Take one token from the bucket of `scope` and `key`; False when it is empty.

    A full bucket holds `capacity` tokens and refills within `refill_seconds`. Two or three queries.
    """
    bucket_key = _bucket_key(scope, key)
    now = clock.now()
    with transaction.atomic():
        bucket = RateBucket.objects.select_for_update().filter(pk=bucket_key).first()
        if bucket is None:
            return _first(bucket_key, capacity, now)
        passed = max((now - bucket.updated_at).total_seconds(), 0)
        tokens = min(capacity, bucket.tokens + passed * capacity / refill_seconds)
        is_allowed = tokens >= 1
        bucket.tokens = tokens - 1 if is_allowed else tokens
        bucket.updated_at = now
        bucket.save(update_fields=["tokens", "updated_at"])
        return is_allowed


def _first(bucket_key: str, capacity: int, now: dt.datetime) -> bool:
    try:
        with transaction.atomic():
            RateBucket.objects.create(key=bucket_key, tokens=capacity - 1, updated_at=now)
    except IntegrityError:
        # Somebody else made the bucket in this instant; letting one more through is harmless.
        return True
    return True


def forget_idle(older_than: dt.timedelta = dt.timedelta(days=2)) -> int:
    """Delete buckets that have long been full again."""
    return RateBucket.objects.filter(updated_at__lt=clock.now() - older_than).delete()[0]


def give_back(scope: str, key: str, *, capacity: int) -> None:
    """Return a token that was taken for something that turned out well. One query."""
    bucket_key = _bucket_key(scope, key)
    RateBucket.objects.filter(pk=bucket_key).update(
        tokens=Least(F("tokens") + 1, Value(float(capacity)))
    )


def strike(scope: str, key: str, *, limit: int, seconds: int) -> int:
    """Count one try; returns 0, or for how many seconds `limit` tries have locked the key.

    The lock ends `seconds` after the last counted try. `forgive` after a success. Two queries.
    """
    bucket_key = _bucket_key(scope, key)
    now = clock.now()
    with transaction.atomic():
        bucket = RateBucket.objects.select_for_update().filter(pk=bucket_key).first()
        if bucket is None:
            _first(bucket_key, 2, now)  # one token: one try
            return 0
        passed = max((now - bucket.updated_at).total_seconds(), 0)
        tries = bucket.tokens if passed < seconds else 0
        if tries >= limit:
            return max(1, round(seconds - passed))
        bucket.tokens, bucket.updated_at = tries + 1, now
        bucket.save(update_fields=["tokens", "updated_at"])
        return 0


def forgive(scope: str, key: str) -> None:
    """Forget the tries of a key. One query."""
    bucket_key = _bucket_key(scope, key)
    RateBucket.objects.filter(pk=bucket_key).delete()

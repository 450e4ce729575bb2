"""Calls of the API that were answered, so that a repetition gets the same answer."""

from __future__ import annotations

from django.db import models

from core.models.base import TenantModel


class AnsweredCall(TenantModel):
    """A call that named an Idempotency-Key, written in the transaction of what it did."""

    caller = models.CharField(max_length=64)
    key = models.CharField(max_length=200)
    # Of method, path and body: the same key for something else is a mistake of the caller's.
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(default=0)
    # As text, because a database of JSON gives the keys back in another order.
    body = models.TextField(blank=True)

    class Meta:
        indexes = (models.Index(fields=("created_at",), name="answered_by_age"),)
        constraints = (models.UniqueConstraint(fields=("caller", "key"), name="answered_once"),)

    def __str__(self) -> str:
        return f"{self.caller} {self.key}"

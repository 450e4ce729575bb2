"""Rate limits and single-instance locks, in the database so that they hold without Redis."""

from __future__ import annotations

from django.db import models


class RateBucket(models.Model):
    """A token bucket; a little inexact under contention, which is good enough for limits."""

    key = models.CharField(max_length=64, primary_key=True)
    tokens = models.FloatField()
    updated_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.key


class NamedLease(models.Model):
    """Who runs a thing that must run once, for example beat; a dead holder's lease runs out."""

    name = models.CharField(max_length=60, primary_key=True)
    holder = models.CharField(max_length=80)
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name}: {self.holder}"

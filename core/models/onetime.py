"""Every link, PIN, QR, profile token, SCEP challenge and approval is a row of this one model."""

from __future__ import annotations

from django.db import models

from core.models.base import TenantModel


class OneTimeSecretQuerySet(models.QuerySet):
    def live(self, now) -> OneTimeSecretQuerySet:
        return self.filter(used_at__isnull=True, voided_at__isnull=True, expires_at__gt=now)


class OneTimeSecret(TenantModel):
    """A secret that we only know by its hash.

    `subject` names what it opens, for example ``invitation:<id>``. Tokens (128 bits and more) are
    stored as SHA-256 and found by it; PINs are stored with a slow hash and found by subject only.
    """

    purpose = models.CharField(max_length=32)
    subject = models.CharField(max_length=80)
    hash = models.CharField(max_length=160)
    data = models.JSONField(default=dict, blank=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    voided_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)

    objects = OneTimeSecretQuerySet.as_manager()

    class Meta:
        indexes = (
            models.Index(fields=("purpose", "hash"), name="onetime_by_hash"),
            models.Index(fields=("purpose", "subject"), name="onetime_by_subject"),
        )

    def __str__(self) -> str:
        return f"{self.purpose} for {self.subject}"

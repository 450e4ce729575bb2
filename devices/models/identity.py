"""Certificates that we issued to devices, and whom they are bound to."""

from __future__ import annotations

from django.db import models

from core import clock
from core.models.base import TenantModel
from devices.models.device import Device


class IdentityQuerySet(models.QuerySet):
    def live(self) -> IdentityQuerySet:
        return self.filter(revoked_at__isnull=True)


class Identity(TenantModel):
    """One issued certificate. `session_id` is the enrollment session whose challenge paid for it;
    `device` is set at Authenticate and never changes to another device."""

    device = models.ForeignKey(
        Device, null=True, blank=True, on_delete=models.CASCADE, related_name="identities"
    )
    session_id = models.UUIDField(null=True, blank=True, db_index=True)
    issuer_key = models.ForeignKey("core.StoredKey", on_delete=models.PROTECT, related_name="+")
    sha256 = models.CharField(max_length=64, unique=True)
    serial_number = models.CharField(max_length=48)
    certificate = models.BinaryField()
    public_key_sha256 = models.CharField(max_length=64)
    transaction_id = models.CharField(max_length=255, blank=True)
    not_after = models.DateTimeField()
    issued_at = models.DateTimeField(default=clock.now)
    first_used_at = models.DateTimeField(null=True, blank=True)
    renewed_from = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="renewals"
    )
    superseded_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_reason = models.CharField(max_length=80, blank=True)

    objects = IdentityQuerySet.as_manager()

    class Meta:
        indexes = (
            models.Index(
                fields=("transaction_id", "public_key_sha256"), name="identity_by_transaction"
            ),
        )

    def __str__(self) -> str:
        return self.sha256[:16]

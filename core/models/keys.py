"""Private keys and their certificates, sealed at rest."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.models.base import TenantModel


class KeyPurpose(models.TextChoices):
    DEVICE_CA = "device_ca", _("Device identity authority")
    SIGNING_ROOT = "signing_root", _("Signing root")
    PROFILE_SIGNER = "profile_signer", _("Profile signing certificate")
    SCRIPT_SIGNER = "script_signer", _("Script signing certificate")
    APNS_PUSH = "apns_push", _("Apple push certificate")
    APP_APNS = "app_apns", _("Key for pushes to the client app on Apple devices")
    APP_FCM = "app_fcm", _("Service account for pushes to the client app on Android")
    WEB_PUSH = "web_push", _("Key for pushes to browsers")


class StoredKeyQuerySet(models.QuerySet):
    def current(self) -> StoredKeyQuerySet:
        return self.filter(retired_at__isnull=True).order_by("-created_at", "-id")


class StoredKey(TenantModel):
    """One private key of a tenant. Several of one purpose may be live during a rotation.

    `certificate` is DER and empty while a signing request is out; `chain` holds the issuers,
    base64 DER, leaf's issuer first.
    """

    purpose = models.CharField(max_length=20, choices=KeyPurpose.choices)
    sealed_key = models.BinaryField()
    certificate = models.BinaryField(default=b"", blank=True)
    chain = models.JSONField(default=list, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    not_after = models.DateTimeField(null=True, blank=True)
    retired_at = models.DateTimeField(null=True, blank=True)
    data = models.JSONField(default=dict, blank=True)

    objects = StoredKeyQuerySet.as_manager()

    class Meta:
        indexes = (models.Index(fields=("tenant", "purpose"), name="key_by_purpose"),)
        constraints = (
            models.UniqueConstraint(
                fields=("sha256",), name="key_once", condition=~models.Q(sha256="")
            ),
        )

    def __str__(self) -> str:
        return f"{self.get_purpose_display()} {self.sha256[:12]}"

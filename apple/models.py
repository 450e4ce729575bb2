"""What only Apple devices have: tokens that a device trusts us with."""

from __future__ import annotations

from django.db import models


class AppleDevice(models.Model):
    """Secrets and facts of an Apple entry. All tokens are sealed and never shown."""

    device = models.OneToOneField(
        "devices.Device",
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="apple",
    )
    profile_identifier = models.CharField(max_length=120, blank=True)
    sealed_unlock_token = models.BinaryField(default=b"", blank=True)
    sealed_bootstrap_token = models.BinaryField(default=b"", blank=True)
    is_awaiting_configuration = models.BooleanField(default=False)

    def __str__(self) -> str:
        return str(self.device_id)


class SpentPushToken(models.Model):
    """A push token that a device has replaced: a message that brings it back is a replay."""

    device = models.ForeignKey(
        "devices.Device", on_delete=models.CASCADE, related_name="spent_push_tokens"
    )
    # Of token and magic together; a device may keep the token and change the magic.
    pair_sha256 = models.CharField(max_length=64)
    spent_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("device", "pair_sha256"), name="spent_push_once"),
        )

    def __str__(self) -> str:
        return f"{self.device_id} {self.pair_sha256[:12]}"

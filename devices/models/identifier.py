"""What a physical device is recognised by when it enrolls again."""

from __future__ import annotations

from django.db import models

from core.models.base import TenantModel
from devices.models.device import PhysicalDevice
from devices.reenrollment import MAX_TOKEN


class PhysicalIdentifier(TenantModel):
    """One identifier of a physical device, as `reenrollment.Identifiers` makes it comparable."""

    physical = models.ForeignKey(
        PhysicalDevice, on_delete=models.CASCADE, related_name="identifiers"
    )
    token = models.CharField(max_length=MAX_TOKEN)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("tenant", "token"), name="identifier_of_one_device"),
        )

    def __str__(self) -> str:
        return self.token

"""Values of the custom attributes of devices."""

from __future__ import annotations

from django.db import models

from accounts.models.attribute import AttributeDefinition, AttributeValue


class DeviceAttributeValue(AttributeValue):
    attribute = models.ForeignKey(
        AttributeDefinition, on_delete=models.CASCADE, related_name="device_values"
    )
    device = models.ForeignKey(
        "devices.Device", on_delete=models.CASCADE, related_name="attribute_values"
    )

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("device", "attribute"), name="device_attribute_once"),
        )

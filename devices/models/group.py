"""Groups of devices."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.group import Group
from core import clock


class DeviceGroup(Group):
    members = models.ManyToManyField(
        "devices.Device", through="DeviceGroupMembership", related_name="device_groups"
    )

    BUILTIN_NAMES: ClassVar[dict[str, Any]] = {
        "all": _("All devices"),
        "iphone": _("iPhones"),
        "ipad": _("iPads"),
        "mac": _("Macs"),
        "android": _("Android devices"),
        "supervised": _("Supervised devices"),
        "company": _("Company owned devices"),
        "personal": _("Personally owned devices"),
    }

    class Meta:
        verbose_name = _("group of devices")
        verbose_name_plural = _("groups of devices")
        ordering = ("name", "id")
        constraints = (
            models.UniqueConstraint(fields=("tenant", "name"), name="devicegroup_name_once"),
            models.UniqueConstraint(
                fields=("tenant", "key"), name="devicegroup_key_once", condition=~models.Q(key="")
            ),
        )
        indexes = (
            models.Index(
                fields=("due_at",),
                name="devicegroup_due",
                condition=models.Q(due_at__isnull=False),
            ),
        )


class DeviceGroupMembership(models.Model):
    """That a device is in a group; written by people for manual groups, by the sweep for others."""

    id = models.BigAutoField(primary_key=True)
    group = models.ForeignKey(DeviceGroup, on_delete=models.CASCADE, related_name="memberships")
    device = models.ForeignKey(
        "devices.Device", on_delete=models.CASCADE, related_name="group_memberships"
    )
    since = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("group", "device"), name="devicegroup_member_once"),
        )

    def __str__(self) -> str:
        return f"{self.device_id} in {self.group_id}"

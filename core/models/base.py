"""What all rows have in common."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from core import clock, ids


class UUIDModel(models.Model):
    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        abstract = True


class TenantModel(UUIDModel):
    tenant = models.ForeignKey("core.Tenant", on_delete=models.CASCADE, related_name="+")

    class Meta:
        abstract = True


class VisibleQuerySet(models.QuerySet):
    """Reads for a principal: none by default, never another tenant's rows.

    A subclass names the permission that lets somebody read its rows.
    """

    view_permission: ClassVar[str] = ""

    def visible_to(self, principal) -> VisibleQuerySet:
        if not self.view_permission or not principal.has(self.view_permission):
            return self.none()
        return self.filter(tenant_id=principal.tenant_id)

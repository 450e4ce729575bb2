"""The change history: who did what, when, to what, sealed into a chain per tenant."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from core import clock
from core.models.base import VisibleQuerySet


class HistoryQuerySet(VisibleQuerySet):
    view_permission: ClassVar[str] = "history.view"

    def about(self, obj) -> HistoryQuerySet:
        return self.filter(object_type=obj._meta.label_lower, object_id=str(obj.pk))

    def unsealed(self) -> HistoryQuerySet:
        return self.filter(chain_index__isnull=True)


class HistoryEntry(models.Model):
    """One change, written in the transaction of the change itself and never altered.

    `chain_index` and `chain_hash` are set by the sealing sweep, so that writers never queue for
    the chain.
    """

    id = models.BigAutoField(primary_key=True)
    tenant = models.ForeignKey("core.Tenant", on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField(_("time"), default=clock.now)
    action = models.CharField(_("action"), max_length=80)
    actor_kind = models.CharField(max_length=10)
    actor_id = models.CharField(max_length=64, blank=True)
    actor_label = models.CharField(_("by"), max_length=254, blank=True)
    ip = models.CharField(_("address"), max_length=45, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    object_type = models.CharField(max_length=60)
    object_id = models.CharField(max_length=64)
    object_label = models.CharField(_("object"), max_length=254, blank=True)
    data = models.JSONField(default=dict, blank=True)
    chain_index = models.BigIntegerField(null=True, editable=False)
    chain_hash = models.CharField(max_length=64, blank=True, editable=False)

    objects = HistoryQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        indexes = (
            models.Index(fields=("tenant", "-id"), name="history_by_tenant"),
            models.Index(fields=("object_type", "object_id", "-id"), name="history_by_object"),
            # The sealing sweep looks only at what is not sealed yet.
            models.Index(
                fields=("tenant", "id"),
                name="history_unsealed",
                condition=models.Q(chain_index__isnull=True),
            ),
        )
        constraints = (
            models.UniqueConstraint(fields=("tenant", "chain_index"), name="history_chain_once"),
        )

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.action} {self.object_label}"

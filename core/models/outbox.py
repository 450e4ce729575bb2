"""Messages that must leave: mail now, push and webhooks later."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from core import clock
from core.models.base import TenantModel, VisibleQuerySet


class OutboxStatus(models.TextChoices):
    PENDING = "pending", _("Waiting")
    DELIVERED = "delivered", _("Delivered")
    UNDELIVERABLE = "undeliverable", _("Undeliverable")
    QUARANTINED = "quarantined", _("Failed too often")
    CANCELLED = "cancelled", pgettext_lazy("message", "Cancelled")


class OutboxQuerySet(VisibleQuerySet):
    view_permission: ClassVar[str] = "settings.view"

    def due(self, now) -> OutboxQuerySet:
        """Return what is to be delivered now: due, and not leased by a worker."""
        return self.filter(status=OutboxStatus.PENDING, due_at__lte=now)


class OutboxMessage(TenantModel):
    """One message; its body is sealed and erased after delivery, because it can hold a PIN.

    A claim moves `due_at` forward by a lease: a worker that dies loses only time.
    """

    kind = models.CharField(max_length=40)
    status = models.CharField(
        max_length=16, choices=OutboxStatus.choices, default=OutboxStatus.PENDING
    )
    key = models.CharField(max_length=120, null=True, blank=True)  # noqa: DJ001 - unique when set
    sealed_body = models.BinaryField(default=b"")
    recipient = models.CharField(max_length=254, blank=True)
    about_type = models.CharField(max_length=60, blank=True)
    about_id = models.CharField(max_length=64, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(default=clock.now)
    last_error = models.CharField(max_length=500, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = OutboxQuerySet.as_manager()

    class Meta:
        indexes = (
            models.Index(
                fields=("due_at",), name="outbox_due", condition=models.Q(status="pending")
            ),
            models.Index(fields=("about_type", "about_id"), name="outbox_about"),
        )
        constraints = (
            models.UniqueConstraint(fields=("tenant", "kind", "key"), name="outbox_key_once"),
            models.CheckConstraint(
                name="outbox_status_known", condition=models.Q(status__in=OutboxStatus.values)
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.id} ({self.status})"

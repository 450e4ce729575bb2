"""Addresses of other systems that are told what happens."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.models.base import TenantModel, VisibleQuerySet

MAX_URL = 500


class WebhookQuerySet(VisibleQuerySet):
    view_permission: ClassVar[str] = "settings.view"


class Webhook(TenantModel):
    """`topics` are the first words of the history actions that it is told; none are all.

    `position` is the place in the chain of the history up to which everything was handed to the
    outbox. `failures` counts events in a row that were given up.
    """

    name = models.CharField(_("name"), max_length=80)
    url = models.CharField(_("address"), max_length=MAX_URL)
    sealed_secret = models.BinaryField()
    topics = models.JSONField(default=list, blank=True)
    is_active = models.BooleanField(default=True)
    position = models.BigIntegerField(default=0)
    failures = models.PositiveSmallIntegerField(default=0)
    stopped_reason = models.CharField(max_length=200, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)

    objects = WebhookQuerySet.as_manager()

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")
        ordering = ("name", "id")

    def __str__(self) -> str:
        return self.name

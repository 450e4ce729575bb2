"""Rules by which old device entries are tidied up by themselves."""

from __future__ import annotations

from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from core.models.base import TenantModel, VisibleQuerySet


class CleanupKind(models.TextChoices):
    RETIRE_SILENT = "retire_silent", _("Retire devices that are silent")
    CLOSE_RETIRE = "close_retire", _("Close retire orders that no device answers")
    DELETE_RETIRED = "delete_retired", _("Delete retired entries")
    DELETE_WIPED = "delete_wiped", _("Delete wiped entries")
    DELETE_WIPE_PENDING = "delete_wipe_pending", _("Delete entries whose wipe is pending")


class CleanupSchedule(models.TextChoices):
    OFF = "off", _("By hand only")
    DAILY = "daily", _("Every day")
    WEEKLY = "weekly", _("Every week")
    MONTHLY = "monthly", _("Every month")


class CleanupQuerySet(VisibleQuerySet):
    view_permission: ClassVar[str] = "settings.view"


class CleanupRule(TenantModel):
    """`limit` is how many entries one run takes; the next run goes on."""

    kind = models.CharField(max_length=20, choices=CleanupKind.choices)
    days = models.PositiveSmallIntegerField(
        _("days"), default=30, validators=[MinValueValidator(1), MaxValueValidator(365)]
    )
    limit = models.PositiveSmallIntegerField(
        _("entries in one run"), default=100, choices=[(100, "100"), (500, "500"), (1000, "1000")]
    )
    schedule = models.CharField(
        _("when"), max_length=8, choices=CleanupSchedule.choices, default=CleanupSchedule.OFF
    )
    next_run_at = models.DateTimeField(null=True, blank=True)
    last_run_at = models.DateTimeField(null=True, blank=True)
    last_count = models.PositiveIntegerField(null=True, blank=True)

    objects = CleanupQuerySet.as_manager()

    class Meta:
        verbose_name = _("cleanup rule")
        verbose_name_plural = _("cleanup rules")
        indexes = (
            models.Index(
                fields=("next_run_at",),
                name="cleanup_due",
                condition=models.Q(next_run_at__isnull=False),
            ),
        )
        constraints = (
            models.UniqueConstraint(fields=("tenant", "kind"), name="cleanup_kind_once"),
        )

    def __str__(self) -> str:
        return str(self.get_kind_display())

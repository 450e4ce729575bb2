"""Bulk orders: what is to be done to many devices, frozen into one row per device."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from core.models.base import TenantModel, VisibleQuerySet
from devices.models.command import Command
from devices.models.device import Device
from devices.states import OPEN_COMMANDS, CommandStatus


class OperationState(models.TextChoices):
    HELD = "held", _("Waiting for approval")
    RUNNING = "running", _("Under way")
    DONE = "done", _("Finished")
    CANCELLING = "cancelling", _("Being cancelled")
    CANCELLED = "cancelled", pgettext_lazy("operation", "Cancelled")


class TargetState(models.TextChoices):
    PENDING = "pending", _("Not started")
    DONE = "done", pgettext_lazy("target", "Ordered")
    FAILED = "failed", pgettext_lazy("target", "Failed")
    SKIPPED = "skipped", _("Left out")
    CANCELLED = "cancelled", pgettext_lazy("target", "Cancelled")


OPEN_OPERATIONS = frozenset(
    {OperationState.HELD, OperationState.RUNNING, OperationState.CANCELLING}
)
UNANSWERED = frozenset({CommandStatus.ERROR, CommandStatus.EXPIRED})


class OperationQuerySet(VisibleQuerySet):
    view_permission: ClassVar[str] = "devices.view"

    def open(self) -> OperationQuerySet:
        return self.filter(state__in=OPEN_OPERATIONS)

    def due(self, now) -> OperationQuerySet:
        return self.filter(due_at__lte=now)

    def search(self, text: str) -> OperationQuerySet:
        for word in text.split()[:5]:
            self = self.filter(
                models.Q(reason__icontains=word) | models.Q(requested_by__label__icontains=word)
            )
        return self


class Operation(TenantModel):
    """An order to many devices. `targets_hash` binds what it does to whom; an approval names it.

    The form that was filled in is kept sealed and read again when the order is carried out:
    `shown` is the part of it that a page may show, [label, text] pairs. `query` is the filter that
    the devices were found by, empty when they were ticked one by one. The numbers are counted in
    the transaction of each device. `due_at` is when a worker is to look at it next; empty when
    nothing is left to do.
    """

    action = models.CharField(_("action"), max_length=60)
    state = models.CharField(
        _("state"), max_length=12, choices=OperationState.choices, default=OperationState.RUNNING
    )
    shown = models.JSONField(default=list, blank=True)
    sealed_form = models.BinaryField(default=b"", blank=True)
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    query = models.TextField(blank=True)
    targets_hash = models.CharField(max_length=64)
    requested_by = models.JSONField(default=dict)
    cancelled_by = models.JSONField(default=dict, blank=True)
    requester = models.ForeignKey(
        "accounts.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    token = models.ForeignKey(
        "accounts.ApiToken", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    retry_of = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="retries"
    )
    total = models.PositiveIntegerField(default=0)
    done_count = models.PositiveIntegerField(default=0)
    failed_count = models.PositiveIntegerField(default=0)
    skipped_count = models.PositiveIntegerField(default=0)
    cancelled_count = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = OperationQuerySet.as_manager()

    class Meta:
        verbose_name = _("bulk order")
        verbose_name_plural = _("bulk orders")
        ordering = ("-created_at", "-id")
        indexes = (
            models.Index(fields=("tenant", "-created_at"), name="operation_by_tenant"),
            models.Index(
                fields=("due_at",),
                name="operation_due",
                condition=models.Q(due_at__isnull=False),
            ),
        )
        constraints = (
            models.CheckConstraint(
                name="operation_state_known", condition=models.Q(state__in=OperationState.values)
            ),
        )

    def __str__(self) -> str:
        return f"{self.action} × {self.total}"

    @property
    def pending_count(self) -> int:
        finished = self.done_count + self.failed_count + self.skipped_count + self.cancelled_count
        return max(0, self.total - finished)

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_OPERATIONS


class OperationTargetQuerySet(models.QuerySet):
    def free(self, now) -> OperationTargetQuerySet:
        """Leave out what a worker has in its hands."""
        return self.filter(models.Q(leased_until__isnull=True) | models.Q(leased_until__lte=now))

    def search(self, text: str) -> OperationTargetQuerySet:
        for word in text.split()[:5]:
            self = self.filter(models.Q(label__icontains=word) | models.Q(serial__icontains=word))
        return self

    def failed(self) -> OperationTargetQuerySet:
        """Return what was refused here, and what the device refused or never answered."""
        return self.filter(
            models.Q(state=TargetState.FAILED)
            | models.Q(state=TargetState.DONE, command__status__in=UNANSWERED)
        )

    def not_left(self) -> OperationTargetQuerySet:
        """Return what was ordered and has not left for the device yet."""
        waiting = OPEN_COMMANDS - {CommandStatus.SENT}
        return self.filter(state=TargetState.DONE, command__status__in=waiting)


class OperationTarget(models.Model):
    """One device of a bulk order; name and serial number stay when the entry is deleted.

    `lease` names the worker that has it, until `leased_until`.
    """

    operation = models.ForeignKey(Operation, on_delete=models.CASCADE, related_name="targets")
    device = models.ForeignKey(
        Device, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    device_key = models.UUIDField()
    label = models.CharField(max_length=200)
    serial = models.CharField(max_length=64, blank=True)
    state = models.CharField(
        max_length=10, choices=TargetState.choices, default=TargetState.PENDING
    )
    reason_code = models.CharField(max_length=60, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    command = models.ForeignKey(
        Command, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    attempts = models.PositiveSmallIntegerField(default=0)
    lease = models.UUIDField(null=True, blank=True)
    leased_until = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = OperationTargetQuerySet.as_manager()

    class Meta:
        ordering = ("id",)
        indexes = (models.Index(fields=("operation", "state", "id"), name="target_by_state"),)
        constraints = (
            models.UniqueConstraint(fields=("operation", "device_key"), name="target_once"),
            models.CheckConstraint(
                name="target_state_known", condition=models.Q(state__in=TargetState.values)
            ),
        )

    def __str__(self) -> str:
        return f"{self.label} {self.state}"

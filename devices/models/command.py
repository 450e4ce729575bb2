"""The channel-neutral command queue."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.models.base import TenantModel, VisibleQuerySet
from devices.models.channel import Channel
from devices.models.device import Device
from devices.states import OPEN_COMMANDS, CommandStatus


class CommandRank(models.IntegerChoices):
    """Orders go before everything else in a channel's queue, background work after it."""

    ORDER = 1
    NORMAL = 5
    BACKGROUND = 9


class CommandQuerySet(VisibleQuerySet):
    view_permission: ClassVar[str] = "devices.view"

    def open(self) -> CommandQuerySet:
        return self.filter(status__in=OPEN_COMMANDS)

    def overdue(self, now) -> CommandQuerySet:
        return self.open().filter(deadline_at__lte=now)


class Command(TenantModel):
    """One order to one channel. The primary key is the CommandUUID on the wire, upper case.

    `params` are public and shown; `sealed_params` (a lock PIN, a profile) are not. `epoch` is the
    entry's epoch when it was queued and is checked again when it is handed out. `desired_key`
    makes an order unique while it is open.
    """

    device = models.ForeignKey(Device, on_delete=models.CASCADE, related_name="commands")
    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="commands")
    kind = models.CharField(_("command"), max_length=60)
    params = models.JSONField(default=dict, blank=True)
    sealed_params = models.BinaryField(default=b"", blank=True)
    status = models.CharField(
        _("status"), max_length=14, choices=CommandStatus.choices, default=CommandStatus.QUEUED
    )
    epoch = models.PositiveIntegerField(default=1)
    desired_key = models.CharField(max_length=120, blank=True)
    rank = models.PositiveSmallIntegerField(default=CommandRank.NORMAL, choices=CommandRank.choices)
    requested_by = models.JSONField(default=dict)
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    sent_count = models.PositiveSmallIntegerField(default=0)
    not_now_at = models.DateTimeField(null=True, blank=True)
    not_now_count = models.PositiveIntegerField(default=0)
    deadline_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    error = models.JSONField(default=list, blank=True)
    result = models.JSONField(default=dict, blank=True)
    # What the device answered, without its secrets; see the app of the channel for the form.
    answer = models.BinaryField(default=b"", blank=True)

    objects = CommandQuerySet.as_manager()

    class Meta:
        verbose_name = _("command")
        verbose_name_plural = _("commands")
        ordering = ("-created_at", "-id")
        indexes = (
            # The connect endpoint reads only what is open on one channel, in order.
            models.Index(
                fields=("channel", "rank", "created_at", "id"),
                name="command_open",
                condition=models.Q(status__in=("queued", "sent", "not_now")),
            ),
            models.Index(
                fields=("deadline_at",),
                name="command_overdue",
                condition=models.Q(status__in=("queued", "sent", "not_now")),
            ),
            models.Index(fields=("device", "-created_at"), name="command_by_device"),
        )
        constraints = (
            models.UniqueConstraint(
                fields=("channel", "desired_key"),
                name="command_desired_once",
                condition=models.Q(status__in=("queued", "sent", "not_now"))
                & ~models.Q(desired_key=""),
            ),
            models.CheckConstraint(
                name="command_status_known", condition=models.Q(status__in=CommandStatus.values)
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.wire_uuid}"

    @property
    def wire_uuid(self) -> str:
        return str(self.pk).upper()

"""The lines on which a device listens: the device itself, and on Macs the managed user."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.models.base import UUIDModel
from devices.models.device import Device


class ChannelState(models.TextChoices):
    ENROLLING = "enrolling", _("Enrolling")
    ACTIVE = "active", _("Active")
    ENDED = "ended", _("Ended")


class ChannelQuerySet(models.QuerySet):
    def push_due(self, now) -> ChannelQuerySet:
        return self.filter(state=ChannelState.ACTIVE, push_due_at__lte=now)


class Channel(UUIDModel):
    """`user_key` is empty on the device channel. Push credentials are sealed, per channel.

    `push_due_at` is the due column of the push sweep: set when work is queued, moved on by each
    push, cleared when nothing waits. `push_attempts` counts the pushes that were accepted since
    the channel was last woken, `push_failures` those that failed in a row. `push_broken_reason`
    stops it until a new token comes. `push_token_sha256` finds another channel with one token.
    """

    device = models.ForeignKey(Device, on_delete=models.CASCADE, related_name="channels")
    kind = models.CharField(max_length=20)
    user_key = models.CharField(max_length=128, blank=True)
    user_short_name = models.CharField(max_length=120, blank=True)
    user_long_name = models.CharField(max_length=200, blank=True)
    # When the user of a Mac was last known to be logged in; never set on a device channel.
    login_at = models.DateTimeField(null=True, blank=True)
    state = models.CharField(
        max_length=10, choices=ChannelState.choices, default=ChannelState.ENROLLING
    )
    sealed_push = models.BinaryField(default=b"", blank=True)
    push_token_sha256 = models.CharField(max_length=64, blank=True)
    push_topic = models.CharField(max_length=120, blank=True)
    token_updated_at = models.DateTimeField(null=True, blank=True)
    push_due_at = models.DateTimeField(null=True, blank=True)
    push_attempts = models.PositiveSmallIntegerField(default=0)
    push_failures = models.PositiveSmallIntegerField(default=0)
    pushed_at = models.DateTimeField(null=True, blank=True)
    push_broken_reason = models.CharField(max_length=80, blank=True)

    objects = ChannelQuerySet.as_manager()

    class Meta:
        indexes = (
            models.Index(
                fields=("push_due_at",),
                name="channel_push_due",
                condition=models.Q(push_due_at__isnull=False),
            ),
            models.Index(
                fields=("push_token_sha256",),
                name="channel_push_token",
                condition=~models.Q(push_token_sha256=""),
            ),
        )
        constraints = (
            models.UniqueConstraint(fields=("device", "kind", "user_key"), name="channel_once"),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.user_short_name}".strip()

"""An invitation of one person, who may enroll several devices with it."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.models.base import TenantModel, VisibleQuerySet


class InvitationStatus(models.TextChoices):
    PENDING = "pending", _("Pending")
    OPENED = "opened", _("Opened")
    IN_PROGRESS = "in_progress", _("In progress")
    COMPLETED = "completed", _("Completed")
    EXPIRED = "expired", _("Expired")
    REVOKED = "revoked", _("Revoked")
    BOUNCED = "bounced", _("Bounced")


I = InvitationStatus  # noqa: E741
OPEN_INVITATIONS = frozenset({I.PENDING, I.OPENED, I.IN_PROGRESS, I.BOUNCED})
# The link still works after the first completion: one invitation, several allowed devices.
USABLE_INVITATIONS = frozenset({I.PENDING, I.OPENED, I.IN_PROGRESS, I.COMPLETED, I.BOUNCED})


class InvitationQuerySet(VisibleQuerySet):
    view_permission: ClassVar[str] = "invitations.view"

    def open(self) -> InvitationQuerySet:
        return self.filter(status__in=OPEN_INVITATIONS)

    def usable(self, now) -> InvitationQuerySet:
        return self.filter(status__in=USABLE_INVITATIONS, expires_at__gt=now)

    def overdue(self, now) -> InvitationQuerySet:
        return self.open().filter(expires_at__lte=now)

    def reminder_due(self, now) -> InvitationQuerySet:
        return self.open().filter(remind_at__lte=now)


class Invitation(TenantModel):
    """The link is a OneTimeSecret (purpose ``invitation``) whose hash alone we keep; every mail
    carries a fresh one, and all of them work until the invitation ends."""

    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="invitations")
    status = models.CharField(
        _("status"), max_length=12, choices=InvitationStatus.choices, default=I.PENDING
    )
    sent_by = models.ForeignKey(
        "accounts.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    sent_by_label = models.CharField(max_length=254, blank=True)
    with_pin = models.BooleanField(default=True)
    expires_at = models.DateTimeField(_("expires"))
    last_sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    sent_count = models.PositiveSmallIntegerField(default=0)
    opened_at = models.DateTimeField(null=True, blank=True)
    completed_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    bounce_reason = models.CharField(max_length=300, blank=True)
    remind_at = models.DateTimeField(null=True, blank=True)
    reminders_sent = models.PositiveSmallIntegerField(default=0)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        ordering = ("-created_at", "-id")
        indexes = (
            models.Index(fields=("tenant", "status"), name="invitation_by_status"),
            models.Index(
                fields=("expires_at",),
                name="invitation_overdue",
                condition=models.Q(status__in=("pending", "opened", "in_progress", "bounced")),
            ),
        )
        constraints = (
            models.CheckConstraint(
                name="invitation_status_known",
                condition=models.Q(status__in=InvitationStatus.values),
            ),
        )

    def __str__(self) -> str:
        return self.user.email

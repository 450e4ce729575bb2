"""An invitation of one person, who may enroll several devices with it."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.models.base import TenantModel, VisibleQuerySet
from devices.models import Ownership
from enrollment.states import (
    OPEN_INVITATIONS,
    USABLE_INVITATIONS,
    InvitationStatus,
)

_OPEN = models.Q(status__in=sorted(OPEN_INVITATIONS))


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

    def search(self, text: str) -> InvitationQuerySet:
        """Find by the person's name or address, or by who sent it; every word must match."""
        for word in text.split()[:5]:
            self = self.filter(
                models.Q(user__email__icontains=word)
                | models.Q(user__first_name__icontains=word)
                | models.Q(user__last_name__icontains=word)
                | models.Q(sent_by_label__icontains=word)
            )
        return self


class Invitation(TenantModel):
    """The link is a OneTimeSecret (purpose ``invitation``) whose hash alone we keep; every mail
    carries a fresh one, and all of them work until the invitation ends."""

    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="invitations")
    status = models.CharField(
        _("status"),
        max_length=12,
        choices=InvitationStatus.choices,
        default=InvitationStatus.PENDING,
    )
    sent_by = models.ForeignKey(
        "accounts.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    sent_by_label = models.CharField(max_length=254, blank=True)
    # Asks for a PIN even from somebody who has a password.
    with_pin = models.BooleanField(default=False)
    # Whose device it will be, if the sender said so; the device entry takes it over.
    ownership = models.CharField(
        max_length=10, choices=Ownership.choices, default=Ownership.NOT_SET
    )
    language = models.CharField(max_length=8, blank=True)
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
            models.Index(fields=("expires_at",), name="invitation_overdue", condition=_OPEN),
            models.Index(
                fields=("remind_at",),
                name="invitation_remind",
                condition=models.Q(remind_at__isnull=False),
            ),
        )
        constraints = (
            # Two administrators who invite somebody at once must end up with one invitation.
            models.UniqueConstraint(
                fields=("user",), name="invitation_one_open_per_person", condition=_OPEN
            ),
            models.CheckConstraint(
                name="invitation_status_known",
                condition=models.Q(status__in=InvitationStatus.values),
            ),
        )

    def __str__(self) -> str:
        return self.user.email

    @property
    def is_open(self) -> bool:
        return self.status in OPEN_INVITATIONS

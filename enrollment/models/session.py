"""One attempt to enroll one device, with a time stamp for each step: the funnel."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from core import clock
from core.models.base import TenantModel, VisibleQuerySet
from devices.models import Ownership
from enrollment.models.invitation import Invitation
from enrollment.states import (
    STAGE_ORDER,
    SessionOutcome,
    SessionStage,
    StoppedReason,
    has_reached,
)


class SessionQuerySet(VisibleQuerySet):
    view_permission: ClassVar[str] = "invitations.view"

    def open(self) -> SessionQuerySet:
        return self.filter(outcome=SessionOutcome.OPEN)

    def overdue(self, now) -> SessionQuerySet:
        return self.open().filter(expires_at__lte=now)

    def reminder_due(self, now) -> SessionQuerySet:
        """Return whom to remind. An attempt that timed out goes on being reminded of: the
        person can start again at any time."""
        return self.filter(
            remind_at__lte=now,
            user__isnull=False,
            outcome__in=(SessionOutcome.OPEN, SessionOutcome.EXPIRED),
        )


class EnrollmentSession(TenantModel):
    """`stage` is how far it came, `outcome` how it ended, `stopped_reason` a code that the page
    and the portal turn into words (``challenge_expired``, ``device_limit``…).

    The browser proves by a cookie (`browser_hash`) that it is the one that began.
    """

    invitation = models.ForeignKey(
        Invitation, null=True, blank=True, on_delete=models.CASCADE, related_name="sessions"
    )
    user = models.ForeignKey(
        "accounts.User",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="enrollment_sessions",
    )
    device = models.ForeignKey(
        "devices.Device", null=True, blank=True, on_delete=models.SET_NULL, related_name="sessions"
    )
    platform = models.CharField(max_length=10, blank=True)
    browser_hash = models.CharField(max_length=64, blank=True)
    user_agent = models.CharField(max_length=300, blank=True)
    language = models.CharField(max_length=8, blank=True)
    stage = models.CharField(
        max_length=16, choices=SessionStage.choices, default=SessionStage.OPENED
    )
    outcome = models.CharField(
        max_length=10, choices=SessionOutcome.choices, default=SessionOutcome.OPEN
    )
    stopped_reason = models.CharField(max_length=40, blank=True)
    opened_at = models.DateTimeField(default=clock.now)
    # What was shown so far by somebody who must show both a PIN and the password.
    pin_verified_at = models.DateTimeField(null=True, blank=True)
    password_verified_at = models.DateTimeField(null=True, blank=True)
    authenticated_at = models.DateTimeField(null=True, blank=True)
    profile_issued_at = models.DateTimeField(null=True, blank=True)
    downloaded_at = models.DateTimeField(null=True, blank=True)
    identity_issued_at = models.DateTimeField(null=True, blank=True)
    checked_in_at = models.DateTimeField(null=True, blank=True)
    active_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField()
    remind_at = models.DateTimeField(null=True, blank=True)
    reminders_sent = models.PositiveSmallIntegerField(default=0)
    # The person wants to hear no more of this attempt, whatever step it takes next.
    reminders_stopped_at = models.DateTimeField(null=True, blank=True)

    objects = SessionQuerySet.as_manager()

    class Meta:
        verbose_name = _("enrollment")
        verbose_name_plural = _("enrollments")
        ordering = ("-created_at", "-id")
        indexes = (
            models.Index(fields=("tenant", "outcome"), name="session_by_outcome"),
            models.Index(
                fields=("expires_at",),
                name="session_overdue",
                condition=models.Q(outcome="open"),
            ),
            models.Index(
                fields=("remind_at",),
                name="session_remind",
                condition=models.Q(remind_at__isnull=False),
            ),
        )
        constraints = (
            # Also the index by which the cookie of a page is found.
            models.UniqueConstraint(
                fields=("browser_hash",),
                name="session_one_per_cookie",
                condition=~models.Q(browser_hash=""),
            ),
            models.CheckConstraint(
                name="session_stage_known", condition=models.Q(stage__in=SessionStage.values)
            ),
            models.CheckConstraint(
                name="session_outcome_known", condition=models.Q(outcome__in=SessionOutcome.values)
            ),
        )

    def __str__(self) -> str:
        return str(self.user or self.pk)

    def has_reached(self, stage: str) -> bool:
        return has_reached(self.stage, stage)

    @property
    def has_moved(self) -> bool:
        """Say whether the person went on with a device that scanned the code shown here."""
        return self.stopped_reason == StoppedReason.MOVED

    @property
    def is_open(self) -> bool:
        return self.outcome == SessionOutcome.OPEN

    @property
    def ownership(self) -> str:
        """Whose device it will be, as far as the invitation says. Reads `invitation`."""
        return self.invitation.ownership if self.invitation else Ownership.NOT_SET

    @property
    def last_step_at(self):
        """When the person or the device last got a step further."""
        moments = [getattr(self, f"{stage}_at") for stage in STAGE_ORDER]
        return max(moment for moment in moments if moment is not None)


class IssuedProfile(TenantModel):
    """A signed enrollment profile, kept so that every download gives the same bytes.

    It dies when it expires, when a newer one of the session is used, or when its session ends.
    """

    session = models.ForeignKey(
        EnrollmentSession, on_delete=models.CASCADE, related_name="profiles"
    )
    platform = models.CharField(max_length=10)
    identifier = models.CharField(max_length=120)
    content_type = models.CharField(max_length=80)
    filename = models.CharField(max_length=80)
    sealed_content = models.BinaryField(default=b"")
    sealed_link = models.BinaryField(default=b"")
    sha256 = models.CharField(max_length=64)
    link = models.ForeignKey("core.OneTimeSecret", on_delete=models.CASCADE, related_name="+")
    challenge = models.ForeignKey("core.OneTimeSecret", on_delete=models.CASCADE, related_name="+")
    first_downloaded_at = models.DateTimeField(null=True, blank=True)
    download_count = models.PositiveIntegerField(default=0)
    voided_at = models.DateTimeField(null=True, blank=True)
    # When the content and the challenge in it were erased: a dead profile leaves no secret.
    erased_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-created_at",)
        indexes = (
            models.Index(
                fields=("created_at",),
                name="profile_not_erased",
                condition=models.Q(erased_at__isnull=True),
            ),
        )

    def __str__(self) -> str:
        return f"profile {self.sha256[:12]}"

    @property
    def deadline(self):
        """Until when it can be downloaded or, once it is downloaded, installed."""
        return self.challenge.expires_at if self.first_downloaded_at else self.link.expires_at

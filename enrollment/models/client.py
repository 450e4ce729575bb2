"""The organisation's own phone app, installed on one phone, and browsers that take pushes."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from core import clock
from core.models.base import TenantModel, VisibleQuerySet
from enrollment.models.session import EnrollmentSession


class AppPush(models.TextChoices):
    NONE = "", _("No push")
    APNS = "apns", _("Apple")
    FCM = "fcm", _("Firebase")


class ClientInstallation(TenantModel):
    """One installation of a client app that a person signed in to.

    `token_hash` is of the bearer token that it got then; it is worth nothing once the password was
    changed elsewhere after `proved_at`. What it says about the phone (`facts`)
    is a claim. The push token is sealed; `push_broken_reason` stops pushes until a new one comes.
    """

    user = models.ForeignKey(
        "accounts.User", on_delete=models.CASCADE, related_name="client_installations"
    )
    session = models.ForeignKey(
        EnrollmentSession,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="client_installations",
    )
    platform = models.CharField(max_length=10, blank=True)
    token_hash = models.CharField(max_length=64, unique=True)
    proved_at = models.DateTimeField(default=clock.now)
    facts = models.JSONField(default=dict, blank=True)
    push_kind = models.CharField(max_length=5, choices=AppPush.choices, blank=True)
    sealed_push_token = models.BinaryField(default=b"", blank=True)
    push_token_hash = models.CharField(max_length=64, blank=True)
    push_broken_reason = models.CharField(max_length=80, blank=True)
    last_seen_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = (models.Index(fields=("user", "ended_at"), name="client_by_user"),)

    def __str__(self) -> str:
        return f"client app of {self.user}"


class BrowserSubscription(TenantModel):
    """A browser that agreed to be reminded (Web Push). The subscription itself is sealed."""

    user = models.ForeignKey(
        "accounts.User", on_delete=models.CASCADE, related_name="browser_subscriptions"
    )
    session = models.ForeignKey(
        EnrollmentSession, null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    # Which browser it is, in words: what the ledger and the person see.
    label = models.CharField(max_length=80, blank=True)
    endpoint_hash = models.CharField(max_length=64, unique=True)
    sealed_subscription = models.BinaryField()
    language = models.CharField(max_length=8, blank=True)
    broken_reason = models.CharField(max_length=80, blank=True)

    def __str__(self) -> str:
        return f"browser of {self.user}"


class NoticeKind(models.TextChoices):
    REMINDER = "reminder", _("Reminder")
    CONFIRMATION = "confirmation", _("Confirmation of the registration")


class NoticeChannel(models.TextChoices):
    MAIL = "mail", _("Mail")
    APP_APNS = "app_apns", _("App push (Apple)")
    APP_FCM = "app_fcm", _("App push (Firebase)")
    WEB_PUSH = "web_push", _("Browser push")


class NoticeStatus(models.TextChoices):
    QUEUED = "queued", _("Queued")
    SENT = "sent", _("Handed over")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Not needed any more")


class NoticeQuerySet(VisibleQuerySet):
    view_permission: ClassVar[str] = "invitations.view"


class Notice(TenantModel):
    """The ledger: what was sent to whom over which channel, and what came back."""

    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+")
    session = models.ForeignKey(
        EnrollmentSession, null=True, blank=True, on_delete=models.CASCADE, related_name="notices"
    )
    invitation = models.ForeignKey(
        "enrollment.Invitation",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="notices",
    )
    message = models.ForeignKey(
        "core.OutboxMessage", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    kind = models.CharField(max_length=12, choices=NoticeKind.choices, default=NoticeKind.REMINDER)
    channel = models.CharField(max_length=10, choices=NoticeChannel.choices)
    # Names one notice on one channel to one address: it is written, and sent, once.
    key = models.CharField(max_length=160, blank=True)
    # To whom, in words: the mail address, the phone, the browser.
    recipient = models.CharField(max_length=254, blank=True)
    number = models.PositiveSmallIntegerField(default=1)
    status = models.CharField(
        max_length=10, choices=NoticeStatus.choices, default=NoticeStatus.QUEUED
    )
    result = models.CharField(max_length=200, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at",)
        indexes = (
            models.Index(fields=("session", "-created_at"), name="notice_by_session"),
            models.Index(fields=("invitation", "-created_at"), name="notice_by_invitation"),
            models.Index(fields=("message",), name="notice_by_message"),
            models.Index(
                fields=("user",), name="notice_waiting", condition=models.Q(status="queued")
            ),
        )
        constraints = (
            models.UniqueConstraint(
                fields=("tenant", "key"), name="notice_once", condition=~models.Q(key="")
            ),
        )

    def __str__(self) -> str:
        return f"{self.channel} {self.number} to {self.user}"

    @property
    def words(self) -> str:
        """What came back, or why it waits. Reads `message`: select it."""
        if self.result or self.message is None:
            return self.result
        return self.message.last_error

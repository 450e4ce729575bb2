"""Terms of service, and who accepted which version of them."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from core import clock
from core.models.base import TenantModel, VisibleQuerySet


class TermsQuerySet(VisibleQuerySet):
    view_permission: ClassVar[str] = "settings.view"

    def with_counts(self) -> TermsQuerySet:
        return self.annotate(accepted_count=models.Count("acceptances"))


class TermsOfService(TenantModel):
    """One published version; a change is a new version. Accepted versions are never deleted."""

    version = models.PositiveIntegerField(default=1)
    title = models.CharField(_("title"), max_length=120)
    text = models.TextField(_("text"), max_length=50_000)
    is_asked = models.BooleanField(_("people must accept before they register"), default=True)
    retired_at = models.DateTimeField(null=True, blank=True)

    objects = TermsQuerySet.as_manager()

    class Meta:
        ordering = ("-version",)
        constraints = (
            models.UniqueConstraint(fields=("tenant", "version"), name="terms_version_once"),
            models.UniqueConstraint(
                fields=("tenant",),
                name="terms_one_current",
                condition=models.Q(retired_at__isnull=True),
            ),
        )

    def __str__(self) -> str:
        return f"{self.title} ({self.version})"


class AcceptancePlace(models.TextChoices):
    PAGE = "page", _("Registration page")
    APP = "app", _("Client app")


class AcceptanceQuerySet(VisibleQuerySet):
    view_permission: ClassVar[str] = "users.view"


class TermsAcceptance(TenantModel):
    """That a person accepted a version, when, from where, and on which page."""

    terms = models.ForeignKey(TermsOfService, on_delete=models.PROTECT, related_name="acceptances")
    user = models.ForeignKey(
        "accounts.User", on_delete=models.CASCADE, related_name="accepted_terms"
    )
    accepted_at = models.DateTimeField(default=clock.now)
    ip = models.CharField(max_length=45, blank=True)
    place = models.CharField(max_length=20, blank=True, choices=AcceptancePlace.choices)

    objects = AcceptanceQuerySet.as_manager()

    class Meta:
        ordering = ("-accepted_at", "-id")
        constraints = (
            models.UniqueConstraint(fields=("terms", "user"), name="terms_accepted_once"),
        )

    def __str__(self) -> str:
        return f"{self.user} accepted {self.terms}"

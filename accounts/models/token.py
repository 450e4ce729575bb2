"""Tokens of the API: scoped, hashed, revocable."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.actors import Actor
from core.models.base import TenantModel, VisibleQuerySet


class ApiTokenQuerySet(VisibleQuerySet):
    view_permission: ClassVar[str] = "settings.view"

    def live(self, now) -> ApiTokenQuerySet:
        return self.filter(revoked_at__isnull=True, owner__is_active=True).filter(
            models.Q(expires_at__isnull=True) | models.Q(expires_at__gt=now)
        )


class ApiToken(TenantModel):
    """A token can do what its scopes name and its owner still may, whichever is less."""

    name = models.CharField(_("name"), max_length=80)
    prefix = models.CharField(max_length=16)
    hash = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=list)
    owner = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="api_tokens")
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True)

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return self.name

    # Views and DRF ask a principal whether it is signed in.
    is_authenticated = True
    is_anonymous = False

    def has(self, permission: str) -> bool:
        return permission in self.scopes and self.owner.has(permission)

    @property
    def actor(self) -> Actor:
        return Actor("token", str(self.pk), f"{self.name} ({self.owner.email})")

"""A named set of permissions."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.models.base import TenantModel, VisibleQuerySet


class RoleQuerySet(VisibleQuerySet):
    view_permission: ClassVar[str] = "users.view"


class Role(TenantModel):
    """`key` names a ready-made role; those cannot be edited or deleted."""

    key = models.SlugField(max_length=40)
    name = models.CharField(_("name"), max_length=80)
    permissions = models.JSONField(default=list)
    is_builtin = models.BooleanField(default=False)

    objects = RoleQuerySet.as_manager()

    class Meta:
        verbose_name = _("role")
        verbose_name_plural = _("roles")
        ordering = ("created_at",)
        constraints = (models.UniqueConstraint(fields=("tenant", "key"), name="role_key_once"),)

    def __str__(self) -> str:
        return str(self.label)

    @property
    def label(self):
        """The name in the reader's language for a ready-made role, as written otherwise."""
        from accounts.access import READY_MADE_ROLES

        names = {role.key: role.name for role in READY_MADE_ROLES}
        return names.get(self.key, self.name) if self.is_builtin else self.name

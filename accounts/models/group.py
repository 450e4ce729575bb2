"""Groups of people, and what groups of every kind have in common."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from core import clock
from core.models.base import TenantModel, VisibleQuerySet


class GroupKind(models.TextChoices):
    MANUAL = "manual", _("Manual")
    DYNAMIC = "dynamic", _("Dynamic")
    BUILTIN = "builtin", _("Built-in")


class GroupQuerySet(VisibleQuerySet):
    view_permission: ClassVar[str] = "groups.view"

    def manual(self) -> GroupQuerySet:
        return self.filter(kind=GroupKind.MANUAL)

    def computed(self) -> GroupQuerySet:
        """Those whose members a rule chooses."""
        return self.exclude(kind=GroupKind.MANUAL)

    def due(self, now) -> GroupQuerySet:
        return self.filter(due_at__lte=now)

    def search(self, text: str) -> GroupQuerySet:
        for word in text.split()[:5]:
            self = self.filter(
                models.Q(name__icontains=word) | models.Q(description__icontains=word)
            )
        return self


class Group(TenantModel):
    """A named set of rows. `rule` is the JSON of `core.rules.tree`, empty for a manual group.

    `due_at` is the due column of the recomputing sweep; a claim moves it on by a lease. `key`
    names a built-in group, whose name comes from the code in the reader's language.
    """

    name = models.CharField(_("name"), max_length=80)
    description = models.CharField(_("description"), max_length=300, blank=True)
    kind = models.CharField(
        _("kind"), max_length=10, choices=GroupKind.choices, default=GroupKind.MANUAL
    )
    key = models.SlugField(max_length=40, blank=True)
    rule = models.JSONField(default=dict, blank=True)
    member_count = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField(null=True, blank=True)
    recomputed_at = models.DateTimeField(null=True, blank=True)

    # What the built-in groups are called, by key.
    BUILTIN_NAMES: ClassVar[dict[str, Any]] = {}

    objects = GroupQuerySet.as_manager()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return str(self.label)

    @property
    def label(self) -> Any:
        return self.BUILTIN_NAMES.get(self.key, self.name) if self.is_builtin else self.name

    @property
    def is_builtin(self) -> bool:
        return self.kind == GroupKind.BUILTIN

    @property
    def is_manual(self) -> bool:
        return self.kind == GroupKind.MANUAL


class UserGroup(Group):
    members = models.ManyToManyField(
        "accounts.User", through="UserGroupMembership", related_name="user_groups"
    )

    BUILTIN_NAMES: ClassVar[dict[str, Any]] = {
        "all": _("All people"),
        "administrators": _("People with access to the portal"),
    }

    class Meta:
        verbose_name = _("group of people")
        verbose_name_plural = _("groups of people")
        ordering = ("name", "id")
        constraints = (
            models.UniqueConstraint(fields=("tenant", "name"), name="usergroup_name_once"),
            models.UniqueConstraint(
                fields=("tenant", "key"), name="usergroup_key_once", condition=~models.Q(key="")
            ),
        )
        indexes = (
            models.Index(
                fields=("due_at",),
                name="usergroup_due",
                condition=models.Q(due_at__isnull=False),
            ),
        )


class UserGroupMembership(models.Model):
    """That a person is in a group; written by people for manual groups, by the sweep for others."""

    id = models.BigAutoField(primary_key=True)
    group = models.ForeignKey(UserGroup, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(
        "accounts.User", on_delete=models.CASCADE, related_name="group_memberships"
    )
    since = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("group", "user"), name="usergroup_member_once"),
        )

    def __str__(self) -> str:
        return f"{self.user_id} in {self.group_id}"

"""A person: administrator, end user, or both."""

from __future__ import annotations

from functools import cached_property
from typing import ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from core import clock
from core.actors import Actor
from core.models.base import TenantModel, VisibleQuerySet
from core.validators import validate_time_zone


class UserSource(models.TextChoices):
    LOCAL = "local", _("Local")


class UserQuerySet(VisibleQuerySet):
    view_permission: ClassVar[str] = "users.view"

    def active(self) -> UserQuerySet:
        return self.filter(is_active=True)

    def administrators(self) -> UserQuerySet:
        return self.filter(roles__isnull=False).distinct()

    def search(self, text: str) -> UserQuerySet:
        for word in text.split()[:5]:
            self = self.filter(
                models.Q(email__icontains=word)
                | models.Q(first_name__icontains=word)
                | models.Q(last_name__icontains=word)
            )
        return self


class UserManager(BaseUserManager.from_queryset(UserQuerySet)):
    def get_by_natural_key(self, username: str) -> User:
        return self.get(email__iexact=username)


class User(TenantModel, AbstractBaseUser):
    """Somebody with an e-mail address, which is the user name, unique in the whole server.

    People with a role may sign in to the portal; everybody may enroll devices.
    """

    email = models.EmailField(_("e-mail address"), max_length=254, unique=True)
    first_name = models.CharField(_("first name"), max_length=80, blank=True)
    last_name = models.CharField(_("last name"), max_length=80, blank=True)
    language = models.CharField(_("language"), max_length=8, blank=True, choices=settings.LANGUAGES)
    time_zone = models.CharField(
        _("time zone"), max_length=64, blank=True, validators=[validate_time_zone]
    )
    source = models.CharField(max_length=10, choices=UserSource.choices, default=UserSource.LOCAL)
    is_active = models.BooleanField(_("enabled"), default=True)
    must_change_password = models.BooleanField(default=False)
    password_changed_at = models.DateTimeField(null=True, blank=True)
    # When rights were last added, and by whom: whoever just got them decides nothing grave yet.
    promoted_at = models.DateTimeField(null=True, blank=True)
    promoted_by = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    roles = models.ManyToManyField("accounts.Role", related_name="users", blank=True)
    # Due column: something that rules of groups may ask about has changed. A new person is due.
    groups_due_at = models.DateTimeField(null=True, blank=True, editable=False, default=clock.now)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects = UserManager()

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        ordering = ("email",)
        indexes = (
            models.Index(fields=("tenant", "email"), name="user_by_tenant"),
            models.Index(
                fields=("groups_due_at",),
                name="user_groups_due",
                condition=models.Q(groups_due_at__isnull=False),
            ),
        )
        constraints = (models.UniqueConstraint(Lower("email"), name="user_email_any_case"),)

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip() or self.email

    def get_full_name(self) -> str:
        return self.name

    @cached_property
    def permissions(self) -> frozenset[str]:
        """What the roles allow together; one query, kept for the life of this object."""
        return frozenset(
            name for granted in self.roles.values_list("permissions", flat=True) for name in granted
        )

    def has(self, permission: str) -> bool:
        return self.is_active and permission in self.permissions

    @property
    def is_administrator(self) -> bool:
        return self.is_active and bool(self.permissions)

    @property
    def actor(self) -> Actor:
        return Actor("user", str(self.pk), self.email)

    @property
    def person_actor(self) -> Actor:
        """The same person, acting as an end user."""
        return Actor("person", str(self.pk), self.email)

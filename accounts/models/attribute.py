"""Custom attributes: what an organisation wants to know beyond what every server knows."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import ClassVar

from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from core import clock
from core.models.base import TenantModel, VisibleQuerySet

KEY = RegexValidator(
    r"\A[a-z][a-z0-9_]{0,39}\Z",
    _("Use lower-case letters, digits and underscores, and begin with a letter."),
)


class AttributeKind(models.TextChoices):
    TEXT = "text", _("Text")
    NUMBER = "number", _("Number")
    BOOLEAN = "boolean", _("Yes or no")
    DATE = "date", _("Date")


class AttributeOwner(models.TextChoices):
    USER = "user", _("People")
    DEVICE = "device", _("Devices")


class AttributeQuerySet(VisibleQuerySet):
    """What attributes there are is no secret within an organisation: everybody who may see what
    they are about, their groups or the settings needs it."""

    view_permissions: ClassVar[tuple[str, ...]] = (
        "devices.view",
        "users.view",
        "groups.view",
        "settings.view",
    )

    def visible_to(self, principal) -> AttributeQuerySet:
        if not any(principal.has(name) for name in self.view_permissions):
            return self.none()
        return self.filter(tenant_id=principal.tenant_id)


class AttributeDefinition(TenantModel):
    """`key` is for rules, variables and programs and never changes; `label` is for people."""

    owner_kind = models.CharField(_("about"), max_length=10, choices=AttributeOwner.choices)
    key = models.CharField(_("key"), max_length=40, validators=[KEY])
    label = models.CharField(_("name"), max_length=80)
    kind = models.CharField(_("type"), max_length=10, choices=AttributeKind.choices)
    description = models.CharField(_("description"), max_length=300, blank=True)

    objects = AttributeQuerySet.as_manager()

    class Meta:
        verbose_name = _("attribute")
        verbose_name_plural = _("attributes")
        ordering = ("owner_kind", "label", "id")
        constraints = (
            models.UniqueConstraint(
                fields=("tenant", "owner_kind", "key"), name="attribute_key_once"
            ),
        )

    def __str__(self) -> str:
        return self.label


class AttributeValue(models.Model):
    """One value, in the column of its kind. There is no row for an empty value."""

    id = models.BigAutoField(primary_key=True)
    text = models.CharField(max_length=500, blank=True)
    number = models.DecimalField(max_digits=15, decimal_places=4, null=True, blank=True)
    flag = models.BooleanField(null=True, blank=True)
    day = models.DateField(null=True, blank=True)
    changed_at = models.DateTimeField(default=clock.now)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return str(self.value)

    @property
    def value(self) -> str | Decimal | bool | dt.date | None:
        """The one column that is filled."""
        if self.flag is not None:
            return self.flag
        if self.number is not None:
            return Decimal(format(self.number.normalize() + 0, "f"))
        return self.day or self.text


class UserAttributeValue(AttributeValue):
    attribute = models.ForeignKey(
        AttributeDefinition, on_delete=models.CASCADE, related_name="user_values"
    )
    user = models.ForeignKey(
        "accounts.User", on_delete=models.CASCADE, related_name="attribute_values"
    )

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("user", "attribute"), name="user_attribute_once"),
        )

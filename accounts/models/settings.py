"""How people register their devices: one default per tenant, overrides per group later."""

from __future__ import annotations

from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from core.models.base import TenantModel, VisibleQuerySet


def _between(low: int, high: int) -> list:
    return [MinValueValidator(low), MaxValueValidator(high)]


SELF_SERVICE_ACTIONS = ("check_in", "lock", "clear_passcode", "lost_mode", "retire", "wipe")


class NetworkAccounts(models.TextChoices):
    NEVER = "never", _("Never")
    REGISTRATION = "registration", _("The one who is logged in while the Mac is registered")
    ALL = "all", _("Everybody who logs in")


class UserSettingsQuerySet(VisibleQuerySet):
    view_permission: ClassVar[str] = "settings.view"

    def for_user(self, user) -> UserSettings:
        """Return the settings that hold for a person; one query."""
        return self.get(tenant_id=user.tenant_id, is_default=True)


class UserSettings(TenantModel):
    """Limits and durations of registration, see the decisions where requirements are silent."""

    is_default = models.BooleanField(default=True)
    require_pin = models.BooleanField(
        _("always ask for a PIN"),
        default=False,
        help_text=_("People without a password are asked for a PIN in any case."),
    )
    pin_length = models.PositiveSmallIntegerField(
        _("digits of a PIN"), default=8, validators=_between(4, 12)
    )
    pin_days = models.PositiveSmallIntegerField(
        _("days a PIN is valid"), default=3, validators=_between(1, 30)
    )
    may_request_pin = models.BooleanField(_("people may request a new PIN"), default=True)
    invitation_days = models.PositiveSmallIntegerField(
        _("days an invitation is valid"), default=7, validators=_between(1, 30)
    )
    profile_minutes = models.PositiveSmallIntegerField(
        _("minutes a profile is valid"), default=10, validators=_between(5, 60)
    )
    device_limit = models.PositiveSmallIntegerField(
        _("active devices per person"),
        null=True,
        blank=True,
        default=10,
        validators=_between(1, 50),
        help_text=_("Leave empty for no limit."),
    )
    max_reminders = models.PositiveSmallIntegerField(
        _("reminders of an unfinished enrollment"), default=30, validators=_between(0, 30)
    )
    network_accounts = models.CharField(
        _("network accounts managed on a Mac"),
        max_length=12,
        choices=NetworkAccounts.choices,
        default=NetworkAccounts.REGISTRATION,
        help_text=_(
            "What is sent to a managed user reaches that user only. The local user who registers "
            "a Mac is always managed."
        ),
    )
    confirm_registration = models.BooleanField(
        _("people get a mail when a device of theirs is registered"),
        default=True,
        help_text=_("So that nobody registers a device in somebody's name unnoticed."),
    )
    self_service_check_in = models.BooleanField(
        _("people may ask their own devices to check in"), default=True
    )
    self_service_lock = models.BooleanField(_("people may lock their own devices"), default=True)
    self_service_retire = models.BooleanField(
        _("people may retire their own devices"), default=True
    )
    # Off until somebody decides: a stolen password must not be enough to erase what it opens.
    self_service_wipe = models.BooleanField(
        _("people may wipe their own devices"),
        default=False,
        help_text=_("Everything on the device is erased. Without it, administrators wipe."),
    )

    # Whoever can sign in as the person and holds the device would open it: off until decided.
    self_service_clear_passcode = models.BooleanField(
        _("people may remove the passcode of their own devices"),
        default=False,
        help_text=_("For a forgotten passcode. Whoever holds the device then can open it."),
    )
    self_service_lost_mode = models.BooleanField(
        _("people may turn on lost mode for their own devices, and see where they are"),
        default=False,
        help_text=_("For supervised iPhones and iPads. The place is gone when lost mode ends."),
    )

    objects = UserSettingsQuerySet.as_manager()

    class Meta:
        verbose_name = _("enrollment policy")
        verbose_name_plural = _("enrollment policies")
        constraints = (
            models.UniqueConstraint(
                fields=("tenant",),
                condition=models.Q(is_default=True),
                name="settings_default_once",
            ),
        )

    @property
    def self_service_actions(self) -> frozenset[str]:
        """What people may do to their own devices, by the names of the devices app."""
        return frozenset(
            name for name in SELF_SERVICE_ACTIONS if getattr(self, f"self_service_{name}")
        )

    def __str__(self) -> str:
        return f"settings of {self.tenant_id}"

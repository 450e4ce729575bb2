"""A physical device, its entries (one per enrollment), and what is written often about them."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from core import clock
from core.actors import Actor
from core.models.base import TenantModel, VisibleQuerySet
from devices.states import MANAGED, PENDING_ORDER, DeviceState


class Platform(models.TextChoices):
    IPHONE = "iphone", _("iPhone")
    IPAD = "ipad", _("iPad")
    MAC = "mac", _("Mac")
    ANDROID = "android", _("Android")
    OTHER = "other", _("Other")


class Ownership(models.TextChoices):
    NOT_SET = "not_set", _("Not set")
    COMPANY = "company", _("Company owned")
    PERSONAL = "personal", _("Personally owned")


class PhysicalDevice(TenantModel):
    """The thing itself. `key` is opaque and compared as received (the UDID of Apple devices)."""

    key = models.CharField(max_length=128)
    serial = models.CharField(_("serial number"), max_length=64, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("tenant", "key"), name="physical_once_per_tenant"),
        )

    def __str__(self) -> str:
        return self.serial or self.key


class DeviceQuerySet(VisibleQuerySet):
    view_permission: ClassVar[str] = "devices.view"

    def current(self) -> DeviceQuerySet:
        """Leave out the archived predecessors."""
        return self.filter(archived_at__isnull=True)

    def of_person(self, user) -> DeviceQuerySet:
        """Return somebody's own devices: no role widens this, and no permission is asked."""
        return self.current().filter(user_id=user.pk, tenant_id=user.tenant_id)

    def was_of_another(self, device) -> bool:
        """Say whether a device was somebody else's until this entry of it took over."""
        earlier = self.filter(superseded_by=device, tenant_id=device.tenant_id, user__isnull=False)
        return earlier.exclude(user_id=device.user_id).exists()

    def managed(self) -> DeviceQuerySet:
        return self.current().filter(state__in=MANAGED)

    def counted_for_limit(self) -> DeviceQuerySet:
        return self.current().filter(state__in=MANAGED)

    def search(self, text: str) -> DeviceQuerySet:
        """Find by person, serial number, name, model or identifier; every word must match."""
        for word in text.split()[:5]:
            self = self.filter(
                models.Q(name__icontains=word)
                | models.Q(serial__icontains=word)
                | models.Q(model_name__icontains=word)
                | models.Q(physical__key__iexact=word)
                | models.Q(user__email__icontains=word)
                | models.Q(user__first_name__icontains=word)
                | models.Q(user__last_name__icontains=word)
            )
        return self


class Device(TenantModel):
    """One enrollment of a physical device. `epoch` counts them; `archived_at` is a fact beside
    the state, so that a predecessor keeps the state in which it ended."""

    physical = models.ForeignKey(PhysicalDevice, on_delete=models.CASCADE, related_name="entries")
    user = models.ForeignKey(
        "accounts.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="devices"
    )
    platform = models.CharField(_("platform"), max_length=10, choices=Platform.choices)
    channel_kind = models.CharField(max_length=20)
    state = models.CharField(
        _("state"), max_length=20, choices=DeviceState.choices, default=DeviceState.ENROLLING
    )
    state_changed_at = models.DateTimeField(default=clock.now)
    epoch = models.PositiveIntegerField(default=1)
    archived_at = models.DateTimeField(null=True, blank=True)
    superseded_by = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="predecessors"
    )
    # The enrollment session that made this entry; the app that owns sessions lies above.
    session_id = models.UUIDField(null=True, blank=True, db_index=True)
    enrolled_at = models.DateTimeField(_("enrolled"), null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    name = models.CharField(_("name"), max_length=200, blank=True)
    serial = models.CharField(_("serial number"), max_length=64, blank=True)
    model = models.CharField(max_length=80, blank=True)
    model_name = models.CharField(_("model"), max_length=120, blank=True)
    os_version = models.CharField(_("system version"), max_length=40, blank=True)
    build = models.CharField(max_length=40, blank=True)
    ownership = models.CharField(
        _("ownership"), max_length=10, choices=Ownership.choices, default=Ownership.NOT_SET
    )
    is_supervised = models.BooleanField(null=True, blank=True)
    # The PIN that a Mac was locked or wiped with: sealed, revealed with a permission of its own.
    sealed_pin = models.BinaryField(default=b"", blank=True)
    pin_set_at = models.DateTimeField(null=True, blank=True)
    inventory_due_at = models.DateTimeField(null=True, blank=True)
    # Lost mode: since when, who asked for it, and where the device last said that it is. The place
    # is personal: sealed, and gone with the lost mode.
    lost_since = models.DateTimeField(null=True, blank=True)
    lost_by = models.JSONField(default=dict, blank=True)
    sealed_location = models.BinaryField(default=b"", blank=True)
    located_at = models.DateTimeField(null=True, blank=True)
    # Due column: something that rules of groups may ask about has changed. A new entry is due.
    groups_due_at = models.DateTimeField(null=True, blank=True, editable=False, default=clock.now)

    objects = DeviceQuerySet.as_manager()

    class Meta:
        verbose_name = _("device")
        verbose_name_plural = _("devices")
        ordering = ("-created_at", "id")
        indexes = (
            models.Index(fields=("tenant", "state"), name="device_by_state"),
            models.Index(fields=("tenant", "name", "id"), name="device_by_name"),
            models.Index(fields=("tenant", "serial"), name="device_by_serial"),
            models.Index(
                fields=("inventory_due_at",),
                name="device_inventory_due",
                condition=models.Q(inventory_due_at__isnull=False),
            ),
            models.Index(
                fields=("groups_due_at",),
                name="device_groups_due",
                condition=models.Q(groups_due_at__isnull=False),
            ),
        )
        constraints = (
            models.UniqueConstraint(
                fields=("physical",),
                name="device_one_current_entry",
                condition=models.Q(archived_at__isnull=True),
            ),
            models.UniqueConstraint(fields=("physical", "epoch"), name="device_epoch_once"),
            models.CheckConstraint(
                name="device_state_known", condition=models.Q(state__in=DeviceState.values)
            ),
        )

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        return self.name or self.model_name or self.get_platform_display()

    @property
    def is_managed(self) -> bool:
        return self.archived_at is None and self.state in MANAGED

    @property
    def is_surely_company(self) -> bool:
        """Only an organisation supervises phones. A Mac counts as supervised as soon as its person
        has approved the management, so there it says nothing about the owner."""
        return bool(self.is_supervised) and self.platform != Platform.MAC

    @property
    def has_pending_order(self) -> bool:
        return self.state in PENDING_ORDER

    def forget_lost_mode(self) -> list[str]:
        """Forget the lost mode, and where the device is; return which columns to save."""
        self.lost_since, self.lost_by = None, {}
        self.sealed_location, self.located_at = b"", None
        return ["lost_since", "lost_by", "sealed_location", "located_at"]

    @property
    def actor(self) -> Actor:
        return Actor("device", str(self.pk), self.label)


class DeviceContact(models.Model):
    """When a device was last heard of: written often, hence a table of its own."""

    device = models.OneToOneField(
        Device, on_delete=models.CASCADE, primary_key=True, related_name="contact"
    )
    last_seen_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.device_id} {self.last_seen_at}"


class InventorySection(models.Model):
    """What a device last told about itself, one row per kind of answer."""

    device = models.ForeignKey(Device, on_delete=models.CASCADE, related_name="inventory")
    kind = models.CharField(max_length=40)
    data = models.JSONField(default=dict)
    collected_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("device", "kind"), name="inventory_section_once"),
        )

    def __str__(self) -> str:
        return f"{self.device_id} {self.kind}"

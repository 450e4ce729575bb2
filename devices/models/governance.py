"""What keeps a stolen or mistaken administrator from erasing a fleet, and the log of wipes."""

from __future__ import annotations

from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from core import clock
from core.models.base import TenantModel, VisibleQuerySet
from devices.models.device import Device
from devices.models.operation import Operation

MAX_WIPE_LIMIT = 200


class SafeguardQuerySet(VisibleQuerySet):
    view_permission: ClassVar[str] = "devices.view"


class Safeguard(TenantModel):
    """One row per tenant: the wipe limit and the emergency freeze. Its lock orders all wipes."""

    wipe_limit = models.PositiveSmallIntegerField(
        _("wipes under way at the same time"),
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(MAX_WIPE_LIMIT)],
    )
    frozen_at = models.DateTimeField(null=True, blank=True)
    frozen_by = models.JSONField(default=dict, blank=True)
    freeze_reason = models.CharField(_("reason"), max_length=500, blank=True)

    objects = SafeguardQuerySet.as_manager()

    class Meta:
        verbose_name = _("wipe protection")
        verbose_name_plural = _("wipe protection")
        constraints = (
            models.UniqueConstraint(fields=("tenant",), name="safeguard_once"),
            models.CheckConstraint(
                name="safeguard_limit_range",
                condition=models.Q(wipe_limit__gte=1) & models.Q(wipe_limit__lte=MAX_WIPE_LIMIT),
            ),
        )

    def __str__(self) -> str:
        return str(self._meta.verbose_name)

    @property
    def is_frozen(self) -> bool:
        return self.frozen_at is not None


class HoldKind(models.TextChoices):
    WIPE = "wipe", _("Wipe")
    LIMIT = "limit", _("Higher wipe limit")


class HoldMode(models.TextChoices):
    """Who lets it go: a second administrator, or the time when there is none."""

    APPROVAL = "approval", _("Second administrator")
    DELAY = "delay", _("24 hours' delay")


class HoldState(models.TextChoices):
    WAITING = "waiting", pgettext_lazy("hold", "Waiting")
    APPROVED = "approved", pgettext_lazy("hold", "Approved")
    RELEASED = "released", pgettext_lazy("hold", "Released after the delay")
    STOPPED = "stopped", pgettext_lazy("hold", "Stopped")
    EXPIRED = "expired", pgettext_lazy("hold", "Not approved in time")


class HoldQuerySet(VisibleQuerySet):
    view_permission: ClassVar[str] = "devices.view"

    def waiting(self) -> HoldQuerySet:
        return self.filter(state=HoldState.WAITING)


class Hold(TenantModel):
    """Something that a second administrator must agree to before it happens.

    `content_hash` binds the decision to exactly what was shown. `due_at` is when the delay is over
    or the request expires; a higher limit that was approved takes effect then.
    """

    kind = models.CharField(max_length=8, choices=HoldKind.choices)
    mode = models.CharField(max_length=10, choices=HoldMode.choices)
    state = models.CharField(max_length=10, choices=HoldState.choices, default=HoldState.WAITING)
    why = models.CharField(max_length=20)
    operation = models.OneToOneField(
        Operation, null=True, blank=True, on_delete=models.CASCADE, related_name="hold"
    )
    data = models.JSONField(default=dict, blank=True)
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    content_hash = models.CharField(max_length=64)
    requested_by = models.JSONField(default=dict)
    requester = models.ForeignKey(
        "accounts.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    due_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.JSONField(default=dict, blank=True)
    decision_reason = models.CharField(max_length=500, blank=True)
    applied_at = models.DateTimeField(null=True, blank=True)

    objects = HoldQuerySet.as_manager()

    class Meta:
        verbose_name = _("approval")
        verbose_name_plural = _("approvals")
        ordering = ("-created_at", "-id")
        indexes = (
            models.Index(
                fields=("due_at",),
                name="hold_due",
                condition=models.Q(applied_at__isnull=True)
                & models.Q(state__in=("waiting", "approved")),
            ),
        )
        constraints = (
            models.CheckConstraint(
                name="hold_state_known", condition=models.Q(state__in=HoldState.values)
            ),
            # One change of the limit at a time, or two half-agreed ones would add up.
            models.UniqueConstraint(
                fields=("tenant",),
                name="hold_one_limit",
                condition=models.Q(kind="limit")
                & models.Q(applied_at__isnull=True)
                & models.Q(state__in=("waiting", "approved")),
            ),
        )

    def __str__(self) -> str:
        return str(self.get_kind_display())


class WipeOutcome(models.TextChoices):
    ORDERED = "ordered", pgettext_lazy("wipe", "Ordered")
    SENT = "sent", pgettext_lazy("wipe", "Sent to the device")
    WIPED = "wiped", pgettext_lazy("wipe", "Wiped")
    CANCELLED = "cancelled", pgettext_lazy("wipe", "Cancelled")
    FAILED = "failed", pgettext_lazy("wipe", "Not carried out")
    DROPPED = "dropped", _("Dropped: the device enrolled again or left")


OPEN_WIPES = frozenset({WipeOutcome.ORDERED, WipeOutcome.SENT})


class WipeOrderQuerySet(VisibleQuerySet):
    view_permission: ClassVar[str] = "devices.view"

    def search(self, text: str) -> WipeOrderQuerySet:
        for word in text.split()[:5]:
            self = self.filter(
                models.Q(label__icontains=word)
                | models.Q(serial__icontains=word)
                | models.Q(person__icontains=word)
                | models.Q(requester_label__icontains=word)
                | models.Q(approver_label__icontains=word)
                | models.Q(reason__icontains=word)
            )
        return self


class WipeOrder(TenantModel):
    """The wipe log: one row per ordered wipe. It outlives the device's entry."""

    device = models.ForeignKey(
        Device, null=True, blank=True, on_delete=models.SET_NULL, related_name="wipe_orders"
    )
    operation = models.ForeignKey(
        Operation, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    label = models.CharField(_("device"), max_length=200)
    serial = models.CharField(_("serial number"), max_length=64, blank=True)
    person = models.CharField(_("person"), max_length=254, blank=True)
    ordered_at = models.DateTimeField(_("ordered"), default=clock.now)
    requested_by = models.JSONField(default=dict)
    requester_label = models.CharField(_("by"), max_length=254, blank=True)
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    approver_label = models.CharField(_("approved by"), max_length=254, blank=True)
    outcome = models.CharField(
        _("outcome"), max_length=10, choices=WipeOutcome.choices, default=WipeOutcome.ORDERED
    )
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = WipeOrderQuerySet.as_manager()

    class Meta:
        verbose_name = _("wipe")
        verbose_name_plural = _("wipes")
        ordering = ("-ordered_at", "-id")
        indexes = (
            models.Index(fields=("tenant", "-ordered_at"), name="wipe_by_tenant"),
            models.Index(
                fields=("device",),
                name="wipe_open",
                condition=models.Q(outcome__in=("ordered", "sent")),
            ),
        )
        constraints = (
            models.CheckConstraint(
                name="wipe_outcome_known", condition=models.Q(outcome__in=WipeOutcome.values)
            ),
        )

    def __str__(self) -> str:
        return self.label

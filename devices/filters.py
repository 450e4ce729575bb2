"""How devices are searched and filtered, in the portal and in the API."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar

import django_filters
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from core import clock
from core.filters import SearchFilterSet
from devices.models import Command, Device, DeviceGroup, Ownership, Platform
from devices.states import MANAGED, CommandStatus, DeviceState

SILENT = {"day": dt.timedelta(days=1), "week": dt.timedelta(days=7), "month": dt.timedelta(days=30)}
ENDED = frozenset(DeviceState.values) - MANAGED
ORDERS = {
    "retire": (DeviceState.RETIRE_PENDING, DeviceState.RETIRE_SENT),
    "wipe": (DeviceState.WIPE_PENDING, DeviceState.WIPE_SENT),
}


def _groups(request):
    groups = DeviceGroup.objects
    return groups.visible_to(request.user) if request else groups.none()


class DeviceFilterSet(SearchFilterSet):
    """Shows the current entries; earlier enrollments only when asked for."""

    state = django_filters.ChoiceFilter(choices=DeviceState.choices, label=_("State"))
    platform = django_filters.ChoiceFilter(choices=Platform.choices, label=_("Platform"))
    ownership = django_filters.ChoiceFilter(choices=Ownership.choices, label=_("Ownership"))
    silent = django_filters.ChoiceFilter(
        label=_("Last contact"),
        method="filter_silent",
        choices=[
            ("day", _("Silent for a day")),
            ("week", _("Silent for a week")),
            ("month", _("Silent for a month")),
        ],
    )
    order = django_filters.ChoiceFilter(
        label=_("Order under way"),
        method="filter_order",
        choices=[("retire", _("Retire")), ("wipe", _("Wipe"))],
    )
    managed = django_filters.ChoiceFilter(
        label=_("Management"),
        method="filter_managed",
        choices=[("yes", _("Managed")), ("no", _("Not managed any more"))],
    )
    archived = django_filters.ChoiceFilter(
        label=_("Enrollments"),
        method="filter_archived",
        choices=[("only", _("Earlier ones")), ("all", _("All"))],
    )
    refused = django_filters.ChoiceFilter(
        label=_("Commands"),
        method="filter_refused",
        choices=[("day", _("Refused one since yesterday")), ("week", _("Refused one this week"))],
    )
    group = django_filters.ModelChoiceFilter(
        label=_("Group"), queryset=_groups, method="filter_group"
    )
    user = django_filters.UUIDFilter(field_name="user_id", label=_("Person"))

    chips: ClassVar[tuple[str, ...]] = (
        "state",
        "platform",
        "managed",
        "silent",
        "order",
        "group",
        "archived",
    )
    linked: ClassVar[tuple[str, ...]] = ("refused", "ownership", "user")
    search_label = _("Person, serial number, name, model")

    class Meta:
        model = Device
        fields: ClassVar[list[str]] = []

    def filter_queryset(self, queryset):
        queryset = super().filter_queryset(queryset)
        return queryset if self.form.cleaned_data.get("archived") else queryset.current()

    def filter_group(self, queryset, name: str, value: DeviceGroup):
        return queryset.filter(group_memberships__group=value)

    def filter_silent(self, queryset, name: str, value: str):
        before = clock.now() - SILENT[value]
        return queryset.managed().filter(
            Q(contact__last_seen_at__lt=before)
            | Q(contact__isnull=True, state_changed_at__lt=before)
        )

    def filter_refused(self, queryset, name: str, value: str):
        refused = Command.objects.filter(
            device=OuterRef("pk"),
            status=CommandStatus.ERROR,
            finished_at__gt=clock.now() - SILENT[value],
        )
        return queryset.filter(Exists(refused))

    def filter_managed(self, queryset, name: str, value: str):
        return queryset.filter(state__in=MANAGED if value == "yes" else ENDED)

    def filter_order(self, queryset, name: str, value: str):
        return queryset.filter(state__in=ORDERS[value])

    def filter_archived(self, queryset, name: str, value: str):
        return queryset.filter(archived_at__isnull=False) if value == "only" else queryset


class CommandFilterSet(django_filters.FilterSet):
    device = django_filters.UUIDFilter(field_name="device_id", label=_("Device"))
    status = django_filters.ChoiceFilter(choices=CommandStatus.choices, label=_("Status"))
    kind = django_filters.CharFilter(max_length=60, label=_("Command"))

    class Meta:
        model = Command
        fields: ClassVar[list[str]] = []

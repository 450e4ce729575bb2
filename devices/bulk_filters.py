"""How bulk orders, their devices and wipes are filtered, in the portal and in the API."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar

import django_filters
from django.utils.translation import gettext_lazy as _

from core import clock
from core.filters import SearchFilterSet
from devices import actions
from devices.models import Operation, OperationState, OperationTarget, TargetState, WipeOrder
from devices.models.governance import WipeOutcome

PERIODS = {"day": 1, "week": 7, "month": 30, "year": 365}


def _actions() -> list[tuple[str, object]]:
    # Filters are read with the addresses, when every app has registered its actions.
    return [(action.key, action.label) for action in actions.every() if action.is_bulk]


class OperationFilterSet(SearchFilterSet):
    action = django_filters.ChoiceFilter(choices=_actions(), label=_("Order"))
    state = django_filters.ChoiceFilter(choices=OperationState.choices, label=_("State"))

    chips: ClassVar[tuple[str, ...]] = ("action", "state")
    search_label = _("Administrator, reason")

    class Meta:
        model = Operation
        fields: ClassVar[list[str]] = []


class TargetFilterSet(SearchFilterSet):
    state = django_filters.ChoiceFilter(choices=TargetState.choices, label=_("State"))
    failed = django_filters.ChoiceFilter(
        label=_("Failures"), method="filter_failed", choices=[("yes", _("Failures only"))]
    )

    chips: ClassVar[tuple[str, ...]] = ("state", "failed")
    search_label = _("Device, serial number")

    class Meta:
        model = OperationTarget
        fields: ClassVar[list[str]] = []

    def filter_failed(self, queryset, name: str, value: str):
        return queryset.failed()


class WipeFilterSet(SearchFilterSet):
    outcome = django_filters.ChoiceFilter(choices=WipeOutcome.choices, label=_("Outcome"))
    ordered = django_filters.ChoiceFilter(
        label=_("Ordered"),
        method="filter_ordered",
        choices=[
            ("day", _("Since yesterday")),
            ("week", _("In the last 7 days")),
            ("month", _("In the last 30 days")),
            ("year", _("In the last year")),
        ],
    )
    after = django_filters.IsoDateTimeFilter(
        field_name="ordered_at", lookup_expr="gte", label=_("From")
    )
    before = django_filters.IsoDateTimeFilter(
        field_name="ordered_at", lookup_expr="lt", label=_("Until")
    )

    chips: ClassVar[tuple[str, ...]] = ("outcome", "ordered")
    search_label = _("Device, person, administrator, reason")

    class Meta:
        model = WipeOrder
        fields: ClassVar[list[str]] = []

    def filter_ordered(self, queryset, name: str, value: str):
        return queryset.filter(ordered_at__gt=clock.now() - dt.timedelta(days=PERIODS[value]))

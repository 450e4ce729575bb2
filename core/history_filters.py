"""How the change history is searched and filtered, in the portal and in the API."""

from __future__ import annotations

from typing import ClassVar

import django_filters
from django import forms
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.filters import SearchFilterSet
from core.models import HistoryEntry

GROUPS = [
    ("devices", _("Devices")),
    ("enrollment", _("Enrollment")),
    ("accounts", _("People and access")),
    ("core", _("Organisation")),
    ("apple", _("Apple")),
]
ACTORS = [
    ("user", _("Administrators")),
    ("person", _("People, about themselves")),
    ("device", _("Devices")),
    ("token", _("API tokens")),
    ("system", _("Muster itself")),
]


def _day() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class HistoryFilterSet(SearchFilterSet):
    about = django_filters.ChoiceFilter(label=_("About"), choices=GROUPS, method="filter_about")
    by = django_filters.ChoiceFilter(label=_("By"), choices=ACTORS, field_name="actor_kind")
    since = django_filters.DateFilter(
        label=_("Since"), field_name="at", lookup_expr="date__gte", widget=_day()
    )
    until = django_filters.DateFilter(
        label=_("Until"), field_name="at", lookup_expr="date__lte", widget=_day()
    )
    action = django_filters.CharFilter(label=_("Action"), max_length=80)
    object = django_filters.CharFilter(label=_("One object"), field_name="object_id", max_length=64)

    actor = django_filters.CharFilter(label=_("One actor"), field_name="actor_id", max_length=64)

    chips: ClassVar[tuple[str, ...]] = ("about", "by", "since", "until")
    linked: ClassVar[tuple[str, ...]] = ("object", "action", "actor")
    search_label = _("Person, device, address")

    class Meta:
        model = HistoryEntry
        fields: ClassVar[list[str]] = []

    def filter_q(self, queryset, name: str, value: str):
        for word in value.split()[:5]:
            queryset = queryset.filter(
                Q(object_label__icontains=word)
                | Q(actor_label__icontains=word)
                | Q(ip__startswith=word)
            )
        return queryset

    def filter_about(self, queryset, name: str, value: str):
        return queryset.filter(action__startswith=f"{value}.")

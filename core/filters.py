"""Filters shared by the lists of the portal and by the API: one FilterSet for both."""

from __future__ import annotations

from typing import ClassVar

import django_filters
from django.utils.translation import gettext_lazy as _

MAX_SEARCH = 200


class SearchFilterSet(django_filters.FilterSet):
    """Adds `q`, which asks the QuerySet's own `search`.

    `chips` names the filters that the portal offers, in order; `linked` those that only a link
    from another page sets, shown while they are on.
    """

    q = django_filters.CharFilter(method="filter_q", label=_("Search"), max_length=MAX_SEARCH)
    chips: ClassVar[tuple[str, ...]] = ()
    linked: ClassVar[tuple[str, ...]] = ()
    search_label = _("Search")

    def filter_q(self, queryset, name: str, value: str):
        return queryset.search(value.replace("\x00", ""))

"""Filters that know the words of the roof."""

from __future__ import annotations

from typing import ClassVar

import django_filters
from django.utils.translation import gettext_lazy as _

from core.history_filters import HistoryFilterSet
from mdm.words import history as words

KINDS = [(action, found.text) for action, found in words.ACTIONS.items()]


class PortalHistoryFilterSet(HistoryFilterSet):
    """The same filters with the kinds of change to choose from."""

    action = django_filters.ChoiceFilter(label=_("Kind"), choices=KINDS)

    chips: ClassVar[tuple[str, ...]] = ("about", "action", "by", "since", "until")
    linked: ClassVar[tuple[str, ...]] = ("object", "actor")

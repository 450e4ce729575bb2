"""How invitations and enrollments are searched and filtered, in the portal and in the API."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar

import django_filters
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core import clock
from core.filters import SearchFilterSet
from devices.models import Platform
from enrollment.models import EnrollmentSession, Invitation
from enrollment.states import InvitationStatus, SessionOutcome, SessionStage

PERIODS = [
    ("7", _("In the last 7 days")),
    ("30", _("In the last 30 days")),
    ("90", _("In the last 90 days")),
]


def since(days: str) -> dt.datetime:
    return clock.now() - dt.timedelta(days=int(days))


class InvitationFilterSet(SearchFilterSet):
    status = django_filters.ChoiceFilter(
        label=_("Status"),
        method="filter_status",
        choices=[("open", _("Any that is open")), *InvitationStatus.choices],
    )
    sent = django_filters.ChoiceFilter(label=_("Sent"), method="filter_sent", choices=PERIODS)
    reached = django_filters.ChoiceFilter(
        label=_("Reached"), method="filter_reached", choices=SessionStage.choices
    )
    user = django_filters.UUIDFilter(field_name="user_id", label=_("Person"))

    chips: ClassVar[tuple[str, ...]] = ("status", "sent", "reached")
    linked: ClassVar[tuple[str, ...]] = ("user",)
    search_label = _("Person or sender")

    class Meta:
        model = Invitation
        fields: ClassVar[list[str]] = []

    def filter_status(self, queryset, name: str, value: str):
        return queryset.open() if value == "open" else queryset.filter(status=value)

    def filter_sent(self, queryset, name: str, value: str):
        return queryset.filter(created_at__gte=since(value))

    def filter_reached(self, queryset, name: str, value: str):
        if value == SessionStage.OPENED:
            return queryset.filter(opened_at__isnull=False)
        return queryset.filter(**{f"sessions__{value}_at__isnull": False}).distinct()


class SessionFilterSet(SearchFilterSet):
    outcome = django_filters.ChoiceFilter(label=_("Outcome"), choices=SessionOutcome.choices)
    stage = django_filters.ChoiceFilter(label=_("Came as far as"), choices=SessionStage.choices)
    platform = django_filters.ChoiceFilter(label=_("Platform"), choices=Platform.choices)
    ended = django_filters.ChoiceFilter(label=_("Ended"), method="filter_ended", choices=PERIODS)

    chips: ClassVar[tuple[str, ...]] = ("outcome", "stage", "platform", "ended")
    search_label = _("Person")

    class Meta:
        model = EnrollmentSession
        fields: ClassVar[list[str]] = []

    def filter_q(self, queryset, name: str, value: str):
        for word in value.split()[:5]:
            queryset = queryset.filter(
                Q(user__email__icontains=word)
                | Q(user__first_name__icontains=word)
                | Q(user__last_name__icontains=word)
            )
        return queryset

    def filter_ended(self, queryset, name: str, value: str):
        return queryset.filter(ended_at__gte=since(value))

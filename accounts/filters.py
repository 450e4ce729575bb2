"""How people are searched and filtered, in the portal and in the API."""

from __future__ import annotations

from typing import ClassVar

import django_filters
from django.utils.translation import gettext_lazy as _

from accounts.models import AttributeDefinition, AttributeOwner, GroupKind, Role, User, UserGroup
from core.filters import SearchFilterSet


def _roles(request):
    return Role.objects.visible_to(request.user) if request else Role.objects.none()


def _groups(request):
    groups = UserGroup.objects
    return groups.visible_to(request.user) if request else groups.none()


class UserFilterSet(SearchFilterSet):
    account = django_filters.ChoiceFilter(
        label=_("Account"),
        method="filter_account",
        choices=[("enabled", _("Enabled")), ("disabled", _("Disabled"))],
    )
    access = django_filters.ChoiceFilter(
        label=_("Access to the portal"),
        method="filter_access",
        choices=[("some", _("With a role")), ("none", _("Without a role"))],
    )
    role = django_filters.ModelChoiceFilter(
        label=_("Role"), queryset=_roles, field_name="roles", distinct=True
    )

    group = django_filters.ModelChoiceFilter(
        label=_("Group"), queryset=_groups, method="filter_group"
    )

    chips: ClassVar[tuple[str, ...]] = ("account", "access", "role", "group")
    search_label = _("Name or e-mail address")

    class Meta:
        model = User
        fields: ClassVar[list[str]] = []

    def filter_group(self, queryset, name: str, value: UserGroup):
        return queryset.filter(group_memberships__group=value)

    def filter_account(self, queryset, name: str, value: str):
        return queryset.filter(is_active=value == "enabled")

    def filter_access(self, queryset, name: str, value: str):
        if value == "some":
            return queryset.administrators()
        return queryset.filter(roles__isnull=True)


class GroupFilterSet(SearchFilterSet):
    """For groups of every shape."""

    kind = django_filters.ChoiceFilter(choices=GroupKind.choices, label=_("Kind"))

    chips: ClassVar[tuple[str, ...]] = ("kind",)
    search_label = _("Name or description")


class AttributeFilterSet(django_filters.FilterSet):
    owner_kind = django_filters.ChoiceFilter(choices=AttributeOwner.choices, label=_("About"))

    class Meta:
        model = AttributeDefinition
        fields: ClassVar[list[str]] = []

"""What pages of groups are made of: which shape has which words, addresses, tables and filters."""

from __future__ import annotations

import contextlib
import uuid
from dataclasses import dataclass
from typing import Any

import django_tables2 as tables
from django import forms
from django.db.models import Count, Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts import grouping
from accounts.filters import UserFilterSet
from accounts.grouping import Shape
from accounts.models import UserGroup
from accounts.models.group import Group
from core.filters import SearchFilterSet
from core.tables import BaseTable, PartColumn
from core.views.actions import WordedForm
from devices.filters import DeviceFilterSet
from devices.models import DeviceGroup
from devices.states import MANAGED
from devices.tables import DeviceTable
from mdm.tables import UserTable


class GroupTable(BaseTable):
    row_header = "name"
    caption = _("Groups")

    name = PartColumn(
        "groups/_name_cell.html", verbose_name=_("Group"), orderable=True, order_by=("name",)
    )
    kind = PartColumn("groups/_kind_cell.html", verbose_name=_("Kind"), orderable=True)
    member_count = tables.Column(verbose_name=_("Members"), attrs={"td": {"class": "m-num"}})
    recomputed_at = PartColumn("groups/_checked_cell.html", verbose_name=_("Looked at"))

    class Meta(BaseTable.Meta):
        model = DeviceGroup
        fields = ("name", "kind", "member_count", "recomputed_at")
        sequence = fields
        order_by = ("name",)


class DeviceChoiceTable(DeviceTable):
    select = PartColumn("groups/_select_cell.html", verbose_name="")

    class Meta(DeviceTable.Meta):
        fields = ("select", *DeviceTable.Meta.fields)
        sequence = fields


class PersonChoiceTable(UserTable):
    select = PartColumn("groups/_select_cell.html", verbose_name="")

    class Meta(UserTable.Meta):
        fields = ("select", *UserTable.Meta.fields)
        sequence = fields


@dataclass(frozen=True)
class Pages:
    """How one shape shows itself."""

    key: str
    title: Any
    lead: Any
    members: Any
    list_name: str
    list_title: Any
    member_page: str
    view_permission: str
    drawing: str
    filters: type[SearchFilterSet]
    member_table: type[BaseTable]
    choice_table: type[BaseTable]
    selected: tuple[str, ...] = ()
    prefetched: tuple[str, ...] = ()

    @property
    def shape(self) -> Shape:
        return grouping.get(self.key)

    def url(self, name: str, *args: Any) -> str:
        return reverse(f"{self.key}-group-{name}", args=args)

    def groups(self, request: HttpRequest) -> Any:
        return self.shape.groups.objects.visible_to(request.user)

    def rows(self, request: HttpRequest) -> Any:
        """The devices or people that the reader may see."""
        found: Any = self.shape.model._default_manager
        rows = found.visible_to(request.user)
        rows = rows.select_related(*self.selected) if self.selected else rows
        return rows.prefetch_related(*self.prefetched)

    @property
    def annotations(self) -> dict[str, Any]:
        """What the columns of the tables count."""
        managed = Q(devices__archived_at__isnull=True, devices__state__in=MANAGED)
        counted = Count("devices", filter=managed, distinct=True)
        return {"device_count": counted} if self.key == "user" else {}

    @property
    def urls(self) -> dict[str, str]:
        return {name: self.url(name) for name in ("list", "new", "new-rule")}


DEVICES = Pages(
    key="device",
    title=_("Groups of devices"),
    lead=_("What is meant for many devices is given to a group once."),
    members=_("Devices"),
    list_name="devices:device-list",
    list_title=_("Devices"),
    member_page="device-detail",
    view_permission="devices.view",
    drawing="devices",
    filters=DeviceFilterSet,
    member_table=DeviceTable,
    choice_table=DeviceChoiceTable,
    selected=("user", "contact", "physical"),
)
PEOPLE = Pages(
    key="user",
    title=_("Groups of people"),
    lead=_("What is meant for many people is given to a group once."),
    members=_("People"),
    list_name="user-list",
    list_title=_("People"),
    member_page="user-detail",
    view_permission="users.view",
    drawing="people",
    filters=UserFilterSet,
    member_table=UserTable,
    choice_table=PersonChoiceTable,
    prefetched=("roles",),
)
PAGES = {pages.key: pages for pages in (DEVICES, PEOPLE)}


def page_of(group: Group) -> str:
    """Return the address of a group's page."""
    return PAGES[grouping.shape_of(group).key].url("detail", group.pk)


class GroupForm(WordedForm):
    name = forms.CharField(label=_("Name"), max_length=80)
    description = forms.CharField(
        label=_("Description"),
        max_length=300,
        required=False,
        help_text=_("What the group is for, for those who come after you."),
    )


class ChooseGroupForm(WordedForm):
    group = forms.ModelChoiceField(
        label=_("Group"),
        queryset=UserGroup.objects.none(),
        empty_label=None,
        widget=forms.Select(attrs={"data-combobox": ""}),
    )

    def __init__(self, *args: Any, groups: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["group"].queryset = groups


class MemberGroupsForm(WordedForm):
    groups = forms.ModelMultipleChoiceField(
        label=_("Manual groups"),
        queryset=UserGroup.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Dynamic groups follow their rules and are not listed here."),
    )

    def __init__(self, *args: Any, groups: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["groups"].queryset = groups


BOXES = ("row", "device", "person")


def selected_ids(request: HttpRequest, rows: Any) -> list[Any]:
    """Return which of the rows were ticked, here or in a list; what is none of them is ignored."""
    posted = request.POST if request.method == "POST" else request.GET
    given = [value for name in BOXES for value in posted.getlist(name)]
    wanted = []
    for value in given[:10_000]:
        with contextlib.suppress(ValueError):
            wanted.append(uuid.UUID(value))
    return list(rows.filter(pk__in=wanted).values_list("pk", flat=True))

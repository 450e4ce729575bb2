"""The lists that the roof composes: history and people."""

from __future__ import annotations

import json

import django_tables2 as tables
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from core.models import HistoryEntry
from core.tables import BaseTable, PartColumn
from mdm.words import history as words
from mdm.words import values


class HistoryTable(BaseTable):
    row_header = "action"
    caption = _("Changes")

    at = PartColumn("history/_at_cell.html", verbose_name=_("When"), orderable=True, order_by="id")
    action = PartColumn("history/_action_cell.html", verbose_name=_("What"))
    object_label = PartColumn("history/_object_cell.html", verbose_name=_("Object"))
    actor_label = PartColumn("history/_actor_cell.html", verbose_name=_("By"))

    ip = tables.Column(verbose_name=_("Network address"), orderable=False)
    details = tables.Column(
        verbose_name=_("Details"), accessor="data", orderable=False, empty_values=({}, None)
    )
    extra = ("ip", "details")

    class Meta(BaseTable.Meta):
        model = HistoryEntry
        fields = ("at", "action", "object_label", "actor_label")
        sequence = (*fields, "ip", "details")
        order_by = ("-at",)

    def value_action(self, record: HistoryEntry) -> str:
        return str(words.words(record.action).text)

    def value_actor_label(self, record: HistoryEntry) -> str:
        return values.actor(record)

    def value_details(self, record: HistoryEntry) -> str:
        return json.dumps(record.data, ensure_ascii=False) if record.data else ""


class UserTable(BaseTable):
    """Reads `roles` (prefetch them) and `device_count`."""

    row_header = "name"
    caption = _("People")

    name = PartColumn(
        "users/_name_cell.html",
        verbose_name=_("Person"),
        orderable=True,
        order_by=("last_name", "first_name", "email"),
    )
    email = tables.Column(verbose_name=_("E-mail address"))
    roles = PartColumn("users/_roles_cell.html", verbose_name=_("Roles"))
    device_count = PartColumn("users/_devices_cell.html", verbose_name=_("Devices"), orderable=True)
    is_active = PartColumn("users/_state_cell.html", verbose_name=_("Account"), orderable=True)

    created_at = tables.DateTimeColumn(verbose_name=_("Added"), short=True)
    last_login = tables.DateTimeColumn(verbose_name=_("Last sign-in"), short=True)
    extra = ("created_at", "last_login")

    class Meta(BaseTable.Meta):
        model = User
        fields = ("name", "email", "roles", "device_count", "is_active")
        sequence = (*fields, "created_at", "last_login")
        order_by = ("name",)

    def value_name(self, record: User) -> str:
        return record.name

    def value_roles(self, record: User) -> str:
        return ", ".join(role.name for role in record.roles.all())


class SelectableUserTable(UserTable):
    """The same with boxes, for those who may invite the people that they tick."""

    select = PartColumn("users/_select_cell.html", verbose_name="")

    class Meta(UserTable.Meta):
        fields = ("select", *UserTable.Meta.fields)
        sequence = (*fields, "created_at", "last_login")

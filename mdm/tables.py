"""The lists that the roof composes: history and people."""

from __future__ import annotations

import django_tables2 as tables
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from core.models import HistoryEntry
from core.tables import BaseTable, PartColumn


class HistoryTable(BaseTable):
    row_header = "action"
    caption = _("Changes")

    at = PartColumn("history/_at_cell.html", verbose_name=_("When"), orderable=True, order_by="id")
    action = PartColumn("history/_action_cell.html", verbose_name=_("What"))
    object_label = PartColumn("history/_object_cell.html", verbose_name=_("Object"))
    actor_label = PartColumn("history/_actor_cell.html", verbose_name=_("By"))

    class Meta(BaseTable.Meta):
        model = HistoryEntry
        fields = ("at", "action", "object_label", "actor_label")
        sequence = fields
        order_by = ("-at",)


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

    class Meta(BaseTable.Meta):
        model = User
        fields = ("name", "email", "roles", "device_count", "is_active")
        sequence = fields
        order_by = ("name",)


class SelectableUserTable(UserTable):
    """The same with boxes, for those who may invite the people that they tick."""

    select = PartColumn("users/_select_cell.html", verbose_name="")

    class Meta(UserTable.Meta):
        fields = ("select", *UserTable.Meta.fields)
        sequence = fields

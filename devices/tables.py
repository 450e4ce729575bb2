"""The list of devices."""

from __future__ import annotations

import datetime as dt

import django_tables2 as tables
from django.utils.translation import gettext_lazy as _

from core.tables import BaseTable, PartColumn
from devices.models import Device


class DeviceTable(BaseTable):
    """Reads `user` and `contact`: select them."""

    row_header = "name"
    caption = _("Devices")

    name = PartColumn(
        "devices/_name_cell.html", verbose_name=_("Device"), orderable=True, order_by=("name",)
    )
    user = PartColumn(
        "devices/_person_cell.html",
        verbose_name=_("Person"),
        orderable=True,
        order_by=("user__last_name", "user__first_name", "user__email"),
    )
    serial = tables.Column(verbose_name=_("Serial number"), attrs={"td": {"class": "m-mono"}})
    os_version = tables.Column(verbose_name=_("System"))
    state = PartColumn(
        "devices/_state_cell.html", verbose_name=_("State"), orderable=True, order_by=("state",)
    )
    last_seen = PartColumn(
        "devices/_contact_cell.html",
        verbose_name=_("Last contact"),
        orderable=True,
        order_by=("contact__last_seen_at",),
    )

    platform = tables.Column(verbose_name=_("Platform"))
    model_name = tables.Column(verbose_name=_("Model"))
    ownership = tables.Column(verbose_name=_("Ownership"))
    is_supervised = tables.BooleanColumn(verbose_name=_("Supervised"), null=True)
    enrolled_at = tables.DateTimeColumn(verbose_name=_("Enrolled"), short=True)
    identifier = tables.Column(
        verbose_name=_("Identifier"),
        accessor="physical__key",
        orderable=False,
        attrs={"td": {"class": "m-mono"}},
    )
    extra = (
        "platform",
        "model_name",
        "ownership",
        "is_supervised",
        "enrolled_at",
        "identifier",
    )

    class Meta(BaseTable.Meta):
        model = Device
        fields = ("name", "user", "serial", "os_version", "state", "last_seen")
        sequence = (*fields, "...")
        order_by = ("-last_seen",)

    def value_name(self, record: Device) -> str:
        return record.label

    def value_user(self, record: Device) -> str:
        return record.user.email if record.user else ""

    def value_state(self, record: Device) -> str:
        return str(record.get_state_display())

    def value_last_seen(self, record: Device) -> dt.datetime | None:
        contact = getattr(record, "contact", None)
        return contact.last_seen_at if contact else None

    def value_platform(self, record: Device) -> str:
        return str(record.get_platform_display())

    def value_ownership(self, record: Device) -> str:
        return str(record.get_ownership_display())

    def value_identifier(self, record: Device) -> str:
        return record.physical.key


class SelectableDeviceTable(DeviceTable):
    """With boxes for those who may order something of several devices."""

    select = PartColumn("devices/_select_cell.html", verbose_name="")

    class Meta(DeviceTable.Meta):
        fields = ("select", *DeviceTable.Meta.fields)
        sequence = (*fields, "...")

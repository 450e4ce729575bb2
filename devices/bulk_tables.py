"""The lists of bulk orders, of their devices, and of wipes."""

from __future__ import annotations

import django_tables2 as tables
from django.utils.translation import gettext_lazy as _

from core.tables import BaseTable, PartColumn
from devices.actions import label_of
from devices.models import Operation, OperationTarget, WipeOrder
from devices.progress import Progress


class OperationTable(BaseTable):
    row_header = "action"
    caption = _("Bulk orders")

    action = PartColumn("operations/_action_cell.html", verbose_name=_("Order"))
    state = PartColumn("operations/_state_cell.html", verbose_name=_("State"))
    progress = PartColumn("operations/_progress_cell.html", verbose_name=_("Devices"))
    by = PartColumn("operations/_by_cell.html", verbose_name=_("By"))
    created_at = PartColumn("operations/_at_cell.html", verbose_name=_("Ordered"), orderable=True)

    class Meta(BaseTable.Meta):
        model = Operation
        fields = ("action", "state", "progress", "by", "created_at")
        sequence = (*fields, "...")
        order_by = ("-created_at",)

    def value_action(self, record: Operation) -> str:
        return str(label_of(record.action))

    def value_state(self, record: Operation) -> str:
        return str(record.get_state_display())

    def value_progress(self, record: Operation) -> int:
        return record.total

    def value_by(self, record: Operation) -> str:
        return str(record.requested_by.get("label", ""))


class TargetTable(BaseTable):
    """Reads `command`: select it."""

    row_header = "label"
    caption = _("Devices of this order")

    label = PartColumn("operations/_target_cell.html", verbose_name=_("Device"), orderable=True)
    serial = tables.Column(verbose_name=_("Serial number"), attrs={"td": {"class": "m-mono"}})
    state = PartColumn("operations/_target_state_cell.html", verbose_name=_("State"))
    reason = PartColumn("operations/_reason_cell.html", verbose_name=_("Explanation"))

    class Meta(BaseTable.Meta):
        model = OperationTarget
        fields = ("label", "serial", "state", "reason")
        sequence = (*fields, "...")
        order_by = ("pk",)

    def value_state(self, record: OperationTarget) -> str:
        return str(record.get_state_display())

    def value_reason(self, record: OperationTarget) -> str:
        return Progress.explain(record)


class WipeTable(BaseTable):
    row_header = "label"
    caption = _("Wipes")

    label = PartColumn("operations/_wiped_cell.html", verbose_name=_("Device"), orderable=True)
    ordered_at = PartColumn(
        "operations/_ordered_cell.html", verbose_name=_("Ordered"), orderable=True
    )
    requester_label = tables.Column(verbose_name=_("By"))
    reason = tables.Column(verbose_name=_("Reason"), orderable=False)
    approver_label = tables.Column(verbose_name=_("Approved by"), default="–")
    outcome = PartColumn("operations/_outcome_cell.html", verbose_name=_("Outcome"))
    serial = tables.Column(verbose_name=_("Serial number"), attrs={"td": {"class": "m-mono"}})
    person = tables.Column(verbose_name=_("Person"))
    finished_at = tables.DateTimeColumn(verbose_name=_("Ended"), short=True)
    extra = ("serial", "person", "finished_at")

    class Meta(BaseTable.Meta):
        model = WipeOrder
        fields = ("label", "ordered_at", "requester_label", "reason", "approver_label", "outcome")
        sequence = (*fields, "...")
        order_by = ("-ordered_at",)

    def value_outcome(self, record: WipeOrder) -> str:
        return str(record.get_outcome_display())

"""The lists of invitations and of enrollments."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from core.tables import BaseTable, PartColumn
from enrollment.models import EnrollmentSession, Invitation

BY_PERSON = ("user__last_name", "user__first_name", "user__email")


class InvitationTable(BaseTable):
    """Reads `user`: select it."""

    row_header = "user"
    caption = _("Invitations")

    user = PartColumn(
        "invitations/_person_cell.html",
        verbose_name=_("Person"),
        orderable=True,
        order_by=BY_PERSON,
    )
    status = PartColumn(
        "invitations/_status_cell.html",
        verbose_name=_("Status"),
        orderable=True,
        order_by="status",
    )
    created_at = PartColumn(
        "invitations/_sent_cell.html",
        verbose_name=_("Sent"),
        orderable=True,
        order_by="created_at",
    )
    expires_at = PartColumn(
        "invitations/_expires_cell.html",
        verbose_name=_("Expires"),
        orderable=True,
        order_by="expires_at",
    )
    sent_by_label = PartColumn("invitations/_sender_cell.html", verbose_name=_("Sent by"))

    class Meta(BaseTable.Meta):
        model = Invitation
        fields = ("user", "status", "created_at", "expires_at", "sent_by_label")
        sequence = fields
        order_by = ("-created_at",)

    def value_user(self, record: Invitation) -> str:
        return record.user.email

    def value_status(self, record: Invitation) -> str:
        return str(record.get_status_display())


class SessionTable(BaseTable):
    """Reads `user`, `device` and `invitation`: select them."""

    row_header = "user"
    caption = _("Enrollments")

    user = PartColumn(
        "invitations/_session_person_cell.html",
        verbose_name=_("Person"),
        orderable=True,
        order_by=BY_PERSON,
    )
    platform = PartColumn("invitations/_session_device_cell.html", verbose_name=_("Device"))
    stage = PartColumn("invitations/_session_stage_cell.html", verbose_name=_("Came as far as"))
    outcome = PartColumn(
        "invitations/_session_outcome_cell.html",
        verbose_name=_("Outcome"),
        orderable=True,
        order_by="outcome",
    )
    opened_at = PartColumn(
        "invitations/_session_began_cell.html",
        verbose_name=_("Began"),
        orderable=True,
        order_by="opened_at",
    )

    class Meta(BaseTable.Meta):
        model = EnrollmentSession
        fields = ("user", "platform", "stage", "outcome", "opened_at")
        sequence = fields
        order_by = ("-opened_at",)

    def value_user(self, record: EnrollmentSession) -> str:
        return record.user.email if record.user else ""

    def value_platform(self, record: EnrollmentSession) -> str:
        return record.device.label if record.device else record.platform

    def value_stage(self, record: EnrollmentSession) -> str:
        return str(record.get_stage_display())

    def value_outcome(self, record: EnrollmentSession) -> str:
        return str(record.get_outcome_display())

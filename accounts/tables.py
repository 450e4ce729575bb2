"""The lists of the accounts app."""

from __future__ import annotations

import django_tables2 as tables
from django.utils.translation import gettext_lazy as _

from accounts.models import TermsAcceptance
from core.tables import BaseTable, PartColumn


class AcceptanceTable(BaseTable):
    """Who accepted a version of the terms. Reads `user`: select it."""

    row_header = "user"
    caption = _("Acceptances")

    user = PartColumn("settings/_accepter_cell.html", verbose_name=_("Person"))
    accepted_at = tables.Column(verbose_name=_("When"), orderable=False)
    place = tables.Column(verbose_name=_("Where"), orderable=False)
    ip = tables.Column(verbose_name=_("Network address"), orderable=False)

    class Meta(BaseTable.Meta):
        model = TermsAcceptance
        fields = ("user", "accepted_at", "place", "ip")
        sequence = fields

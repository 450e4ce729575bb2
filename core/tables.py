"""The table that every list of the portal builds on."""

from __future__ import annotations

import django_tables2 as tables

PER_PAGE = 25


class BaseTable(tables.Table):
    """`row_header` names the column that is the heading of its row; `caption` is read aloud."""

    row_header = ""
    caption = ""

    class Meta:
        template_name = "components/table.html"
        order_by_field = "sort"
        page_field = "page"
        orderable = True
        empty_text = None

    def order_stably(self) -> None:
        """Break ties by the primary key, so that no row is on two pages or on none."""
        rows = self.data.data
        ordering = rows.query.order_by or rows.model._meta.ordering
        if not {"pk", "-pk", "id", "-id"} & set(ordering):
            self.data.data = rows.order_by(*ordering, "pk")


class PartColumn(tables.TemplateColumn):
    """A cell drawn by a small template; gets `record` and what the table's context holds."""

    def __init__(self, template_name: str, **options) -> None:
        options.setdefault("orderable", False)
        super().__init__(template_name=template_name, **options)

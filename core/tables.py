"""The table that every list of the portal builds on."""

from __future__ import annotations

from typing import Any, ClassVar

import django_tables2 as tables
from django_tables2.utils import Accessor

PER_PAGE = 25


class BaseTable(tables.Table):
    """`row_header` names the column that is the heading of its row; `caption` is read aloud.

    `extra` names columns that are hidden until somebody chooses them. A column that is drawn by a
    template has a method ``value_<name>(record)``, which says the same in plain text.
    """

    row_header = ""
    caption = ""
    extra: ClassVar[tuple[str, ...]] = ()

    class Meta:
        template_name = "components/table.html"
        order_by_field = "sort"
        page_field = "page"
        orderable = True
        empty_text = None

    def choose(self, wanted: list[str]) -> None:
        """Show the columns that were chosen, or the usual ones; the first always stays."""
        known = {name for name in wanted if name in self.columns.names()}
        for column in self.columns:
            if column.name in (self.row_header, "select"):
                continue
            if column.name not in known if known else column.name in self.extra:
                self.columns.hide(column.name)

    def choices(self) -> list[dict[str, Any]]:
        """Return the columns that can be shown or hidden, for the menu."""
        return [
            {"name": column.name, "label": column.header, "is_on": column.visible}
            for column in self.columns.iterall()
            if column.name not in (self.row_header, "select")
        ]

    def plain(self, name: str, record: Any) -> Any:
        """Return what a cell says, without markup."""
        own = getattr(self, f"value_{name}", None)
        return own(record) if own else Accessor(name).resolve(record, quiet=True)

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

"""One way to make every list of the portal: filtered, sorted and paged by the URL."""

from __future__ import annotations

from typing import Any

from django.core.paginator import EmptyPage, PageNotAnInteger
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from core.filters import SearchFilterSet
from core.tables import PER_PAGE, BaseTable
from core.views import chips

MAX_SORTS = 3


def list_page(
    request: HttpRequest,
    *,
    template: str,
    filters: SearchFilterSet,
    table_class: type[BaseTable],
    annotations: dict[str, Any] | None = None,
    **context: Any,
) -> HttpResponse:
    """Render a list; unknown sort keys and pages fall back instead of failing.

    Costs one query for the rows, one for their number, and what the columns prefetch.
    """
    table = table_class(filters.qs.annotate(**annotations or {}))
    table.request = request
    _sort(table, request.GET.getlist(table.prefixed_order_by_field)[:MAX_SORTS])
    table.order_stably()
    try:
        table.paginate(page=request.GET.get(chips.PAGE_FIELD, 1), per_page=PER_PAGE)
    except PageNotAnInteger:
        table.paginate(page=1, per_page=PER_PAGE)
    except EmptyPage:
        table.page = table.paginator.page(table.paginator.num_pages)
    drawn = chips.build(request, filters)
    context |= {
        "table": table,
        "chips": drawn,
        "is_filtered": drawn["is_on"],
        "has_rows": table.paginator.count > 0,
    }
    return render(request, template, context)


def _sort(table: BaseTable, wanted: list[str]) -> None:
    """Order by columns that the table offers; no other word of a query gets any further."""
    names = {column.name for column in table.columns.iterorderable()}
    known = [word for word in wanted if word.removeprefix("-") in names]
    if known:
        table.order_by = known

"""One way to make every list of the portal: filtered, sorted and paged by the URL."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.paginator import EmptyPage, PageNotAnInteger
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from core import ratelimit
from core.filters import SearchFilterSet
from core.tables import PER_PAGE, BaseTable
from core.views import chips, exports

MAX_SORTS = 3
MAX_COLUMNS = 30
COLUMN_FIELD = "col"
EXPORT_FIELD = "export"

_on_open: list[Callable[[HttpRequest], HttpResponse | None]] = []


def on_open(hook: Callable[[HttpRequest], HttpResponse | None]) -> None:
    """Let an app above answer first, such as with a view that somebody saved."""
    _on_open.append(hook)


def list_page(
    request: HttpRequest,
    *,
    template: str,
    filters: SearchFilterSet,
    table_class: type[BaseTable],
    annotations: dict[str, Any] | None = None,
    **context: Any,
) -> HttpResponse:
    """Render a list, or send it as CSV; unknown sort keys and pages fall back.

    Costs one query for the rows, one for their number, and what the columns prefetch.
    """
    for hook in _on_open:
        answer = hook(request)
        if answer is not None:
            return answer
    table = table_class(filters.qs.annotate(**annotations or {}))
    table.request = request
    _sort(table, request.GET.getlist(table.prefixed_order_by_field)[:MAX_SORTS])
    table.order_stably()
    table.choose(request.GET.getlist(COLUMN_FIELD)[:MAX_COLUMNS])
    if request.GET.get(EXPORT_FIELD) == "csv":
        return _export(request, table)
    try:
        table.paginate(page=request.GET.get(chips.PAGE_FIELD, 1), per_page=PER_PAGE)
    except PageNotAnInteger:
        table.paginate(page=1, per_page=PER_PAGE)
    except EmptyPage:
        table.page = table.paginator.page(table.paginator.num_pages)
    drawn = chips.build(request, filters)
    context |= {
        "table": table,
        "columns": table.choices(),
        "tools": chips.tools(request),
        "chips": drawn,
        "is_filtered": drawn["is_on"],
        "has_rows": table.paginator.count > 0,
    }
    return render(request, template, context)


def _export(request: HttpRequest, table: BaseTable) -> HttpResponse:
    if not ratelimit.allow("export", str(request.user.pk), capacity=10, refill_seconds=600):
        messages.error(request, _("Ten lists in ten minutes are enough. Wait a little."))
        return redirect(f"{request.path}?{chips.without_export(request)}")
    return exports.list_as_csv(request, table)


def _sort(table: BaseTable, wanted: list[str]) -> None:
    """Order by columns that the table offers; no other word of a query gets any further."""
    names = {column.name for column in table.columns.iterorderable()}
    known = [word for word in wanted if word.removeprefix("-") in names]
    if known:
        table.order_by = known

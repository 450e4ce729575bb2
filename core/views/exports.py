"""A list as a CSV file: the rows of the present filter, the columns of the present choice."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterable, Iterator
from typing import Any

from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone, translation

from core import clock, history
from core.tables import BaseTable

CHUNK = 1000
# What a spreadsheet takes for the beginning of a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
BYTE_ORDER_MARK = "\ufeff"


class _Line:
    """A file that hands back what is written into it."""

    def write(self, text: str) -> str:
        return text


def safe(value: Any) -> str:
    """Return a cell that no spreadsheet evaluates: a quote goes before what looks like a formula.

    Numbers stay numbers; times are local to the reader, so that a spreadsheet can sort them.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, dt.datetime):
        return timezone.localtime(value).strftime("%Y-%m-%d %H:%M:%S")
    text = str(value).replace("\x00", "")
    return f"'{text}" if text.startswith(_FORMULA) else text


def lines(header: Iterable[Any], rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    """Yield the file line by line. Excel reads semicolons where commas are in numbers."""
    delimiter = ";" if (translation.get_language() or "").startswith("fr") else ","
    writer = csv.writer(_Line(), delimiter=delimiter)
    yield BYTE_ORDER_MARK + writer.writerow([safe(value) for value in header])
    for row in rows:
        yield writer.writerow([safe(value) for value in row])


def respond(
    header: Iterable[Any], rows: Iterable[Iterable[Any]], name: str
) -> StreamingHttpResponse:
    """Return the file as a download; rows are fetched while it is sent."""
    language, zone = translation.get_language(), timezone.get_current_timezone()

    def stream() -> Iterator[str]:
        # The middleware has gone home when the first line is asked for.
        with translation.override(language), timezone.override(zone):
            yield from lines(header, rows)

    response = StreamingHttpResponse(stream(), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "no-store"
    return response


def list_as_csv(request: HttpRequest, table: BaseTable) -> StreamingHttpResponse:
    """Return every row of a list, not only those of the page; the history says who took it."""
    columns = [column for column in table.columns if column.visible and column.name != "select"]
    header = [column.header for column in columns]
    names = [column.name for column in columns]
    rows = table.data.data
    list_name = request.resolver_match.url_name if request.resolver_match else ""
    history.record(
        request.user.tenant,
        "core.list.exported",
        actor=request.user.actor,
        data={"list": list_name, "filter": request.GET.urlencode()[:500]},
    )
    values = (
        [table.plain(name, record) for name in names] for record in rows.iterator(chunk_size=CHUNK)
    )
    stamp = timezone.localtime(clock.now()).strftime("%Y-%m-%d-%H%M")
    return respond(header, values, f"{list_name}-{stamp}.csv")

"""Lists as CSV: streamed, readable by spreadsheets, and never a formula."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from typing import Any

from django.http import StreamingHttpResponse

BYTE_ORDER_MARK = "\ufeff"
# What a spreadsheet takes for the beginning of a formula, also after blanks that it trims.
_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20", "|", "%")


def safe(value: Any) -> str:
    """Return a cell as text; what a spreadsheet would run gets an apostrophe in front."""
    text = "" if value is None else str(value).replace("\x00", "")
    return f"'{text}" if text.lstrip(" \u00a0").startswith(_STARTS) else text


class _Line:
    """Gives each written line back in place of keeping it."""

    def write(self, text: str) -> str:
        return text


def csv_response(
    name: str, header: Iterable[Any], rows: Iterable[Iterable[Any]]
) -> StreamingHttpResponse:
    """Return a file that is written while it is sent; `name` is without ending."""

    def lines() -> Iterator[str]:
        writer = csv.writer(_Line(), quoting=csv.QUOTE_ALL)
        yield BYTE_ORDER_MARK + writer.writerow([safe(cell) for cell in header])
        for row in rows:
            yield writer.writerow([safe(cell) for cell in row])

    answer = StreamingHttpResponse(lines(), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    answer["Cache-Control"] = "private, no-store"
    return answer

"""How lists of the API are paged and sorted."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework import exceptions, pagination
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

PAGE_SIZE, MAX_PAGE_SIZE = 50, 200
MAX_CURSOR = 1000
PARAMETERS = ("sort", "cursor", "page_size")


class CursorPagination(pagination.BasePagination):
    """Stable under inserts, and as quick on the last page as on the first.

    The cursor holds the sort value and the key of the row that the page ended with. A view names
    the fields that its list may be sorted by in `sorts`, the default first; they are never null.
    """

    def paginate_queryset(self, queryset, request, view=None) -> list[models.Model]:
        field, is_descending = self._sort(request, view)
        size, sign = self._size(request), "-" if is_descending else ""
        ordering = list(dict.fromkeys((f"{sign}{field}", f"{sign}pk")))
        after = self._after(request, queryset.model, field, is_descending)
        rows = list(queryset.filter(after).order_by(*ordering)[: size + 1])
        self.request, self.field, self.has_more = request, field, len(rows) > size
        self.page = rows[:size]
        return self.page

    def get_paginated_response(self, data) -> Response:
        following = None
        if self.has_more:
            last = self.page[-1]
            cursor = _encode(getattr(last, self.field), last.pk)
            following = replace_query_param(self.request.build_absolute_uri(), "cursor", cursor)
        return Response({"results": data, "next": following})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        following = {"type": "string", "format": "uri", "nullable": True}
        return {
            "type": "object",
            "required": ["results", "next"],
            "properties": {"results": schema, "next": following},
        }

    def get_schema_operation_parameters(self, view) -> list[dict[str, Any]]:
        sorts = [name for field in view.sorts for name in (field, f"-{field}")]
        return [
            _parameter("sort", {"type": "string", "enum": sorts, "default": view.default_sort}),
            _parameter("cursor", {"type": "string"}),
            _parameter(
                "page_size",
                {"type": "integer", "minimum": 1, "maximum": MAX_PAGE_SIZE, "default": PAGE_SIZE},
            ),
        ]

    @staticmethod
    def _sort(request, view) -> tuple[str, bool]:
        wanted = request.query_params.get("sort", view.default_sort)
        field = wanted.removeprefix("-")
        if field not in view.sorts:
            raise exceptions.ValidationError({"sort": [_("This list cannot be sorted by that.")]})
        return field, wanted.startswith("-")

    @staticmethod
    def _size(request) -> int:
        text = request.query_params.get("page_size", str(PAGE_SIZE))
        is_number = len(text) <= 9 and text.isascii() and text.isdigit()
        if not is_number or not 1 <= int(text) <= MAX_PAGE_SIZE:
            message = _("A page has 1 to %(most)d rows.") % {"most": MAX_PAGE_SIZE}
            raise exceptions.ValidationError({"page_size": [message]})
        return int(text)

    @staticmethod
    def _after(request, model: type[models.Model], field: str, is_descending: bool) -> models.Q:
        text = request.query_params.get("cursor", "")
        if not text:
            return models.Q()
        try:
            value, key = _decode(text)
            value, key = _typed(model, field, value), _typed(model, "pk", key)
        except (ValueError, TypeError, ValidationError, OverflowError, RecursionError) as error:
            message = _("This cursor is not one of this list.")
            raise exceptions.ValidationError({"cursor": [message]}) from error
        beyond = "lt" if is_descending else "gt"
        tie = models.Q(**{field: value, f"pk__{beyond}": key})
        return models.Q(**{f"{field}__{beyond}": value}) | tie


def _parameter(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "schema": schema}


def _encode(value: Any, key: Any) -> str:
    content = json.dumps([value, key], default=_plain, separators=(",", ":"))
    return base64.urlsafe_b64encode(content.encode()).decode().rstrip("=")


def _plain(value: Any) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _decode(text: str) -> tuple[Any, Any]:
    if len(text) > MAX_CURSOR or not text.isascii():
        raise ValueError
    try:
        content = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError from error
    found = json.loads(content)
    if not isinstance(found, list) or len(found) != 2:
        raise ValueError
    return found[0], found[1]


def _typed(model: type[models.Model], name: str, value: Any) -> Any:
    """Read a value of a cursor as its field would, and refuse what the database would choke on."""
    field = model._meta.pk if name == "pk" else model._meta.get_field(name)
    if isinstance(value, bool) or not isinstance(value, str | int) or "\x00" in str(value):
        raise ValueError
    found = field.to_python(value)
    if isinstance(found, int) and abs(found) >= 2**63:
        raise ValueError
    if isinstance(field, models.DateTimeField) and timezone.is_naive(found):
        raise ValueError
    return found

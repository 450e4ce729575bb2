"""Turns a FilterSet into chips: every choice is a link, so that the URL is the filter."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext as _

from core.filters import SearchFilterSet

PAGE_FIELD = "page"
# Shows a list as it is, whatever view somebody saved as the one to begin with.
# More choices than this are searched, not listed.
MANY = 15
VIEW_FIELD = "view"
PLAIN_VIEW = "all"


def build(request: HttpRequest, filters: SearchFilterSet) -> dict[str, Any]:
    """Return what `components/filter_chips.html` draws."""
    names = ["q", *filters.chips, *filters.linked]
    on = [name for name in names if request.GET.get(name)]
    rest = _without(request.GET, PAGE_FIELD)
    return {
        "search": {
            "name": "q",
            "value": request.GET.get("q", ""),
            "label": filters.search_label,
            "hidden": _pairs(_without(rest, "q")),
        },
        "filters": [
            _chip(request.path, rest, filters, name, choices)
            for name in (*filters.chips, *filters.linked)
            for choices in [_choices(filters.form[name])]
            if name in on or (name in filters.chips and _is_offered(filters.form[name], choices))
        ],
        "is_on": bool(on),
        "clear_url": _url(request.path, _with(_without(rest, *names), VIEW_FIELD, PLAIN_VIEW)),
    }


def tools(request: HttpRequest) -> dict[str, Any]:
    """Return the addresses of what can be done with a list as it is shown."""
    rest = _without(request.GET, PAGE_FIELD)
    return {
        "export_url": _url(request.path, _with(rest, "export", "csv")),
        "hidden": _pairs(_without(rest, "col")),
        "usual_url": _url(request.path, _without(rest, "col")),
        "has_columns": "col" in request.GET,
        "query": _without(rest, VIEW_FIELD).urlencode(),
    }


def without_export(request: HttpRequest) -> str:
    return _without(request.GET, "export").urlencode()


def _chip(
    path: str,
    query: QueryDict,
    filters: SearchFilterSet,
    name: str,
    choices: list[tuple[Any, Any]],
) -> dict[str, Any]:
    field, value = filters.form[name], query.get(name, "")
    choices = [(str(key), label) for key, label in choices if key != ""]
    label = dict(choices).get(value, value)
    is_long = len(choices) > MANY
    if is_long:
        field.field.widget.attrs["data-combobox"] = ""
    return {
        "label": field.label,
        "is_on": bool(value),
        "value_label": label if name in filters.chips else _("chosen"),
        "clear_url": _url(path, _without(query, name)),
        "field": field,
        "hidden": _pairs(_without(query, name)),
        "options": [
            {"label": text, "is_on": key == value, "url": _url(path, _with(query, name, key))}
            for key, text in ([] if is_long else choices)
        ],
    }


def _is_offered(field, choices: list[tuple[Any, Any]]) -> bool:
    """A filter by something that there is none of is not offered."""
    return not hasattr(field.field, "queryset") or len(choices) > 1


def _choices(field) -> list[tuple[Any, Any]]:
    # Asked for its length or truth, a list of rows would cost a query more.
    choices = getattr(field.field, "choices", None)
    return [] if choices is None else list(iter(choices))


def _without(query: QueryDict, *names: str) -> QueryDict:
    copy = query.copy()
    for name in names:
        copy.pop(name, None)
    return copy


def _with(query: QueryDict, name: str, value: str) -> QueryDict:
    copy = query.copy()
    copy[name] = value
    return copy


def _pairs(query: QueryDict) -> list[tuple[str, str]]:
    return [(name, value) for name, values in query.lists() for value in values if value]


def _url(path: str, query: QueryDict) -> str:
    return f"{path}?{query.urlencode()}" if query else path

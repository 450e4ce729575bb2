"""A rule while somebody builds it in a form: read from posted fields, changed by buttons, drawn.

A draft has the JSON of a rule, but may be incomplete. Every part of the tree has a name: ``rule``
is the whole, ``rule-0-2`` the third part of its first part. The fields of a condition are
``<name>-field``, ``<name>-operator`` and ``<name>-value``; a branch has ``<name>-match``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Protocol

from core.rules import words
from core.rules.fields import IN_DAYS, WITHOUT_VALUE, Catalogue, Field, Kind, Op
from core.rules.tree import ALL, ANY, MAX_CONDITIONS, MAX_DEPTH

ROOT = "rule"
DO = re.compile(r"(add|branch|remove):rule((?:-[0-9]{1,2}){0,6})")
INPUTS = {Kind.DATE: "date", Kind.MOMENT: "date", Kind.NUMBER: "number"}
Draft = dict[str, Any]


class Posted(Protocol):
    def get(self, name: str, default: str = ...) -> Any: ...
    def getlist(self, name: str) -> list[Any]: ...
    def __contains__(self, name: object) -> bool: ...


def empty(catalogue: Catalogue) -> Draft:
    """Return a draft with one condition that nobody has filled."""
    return {"match": ALL, "rules": [_condition(catalogue)]}


def read(posted: Posted, catalogue: Catalogue) -> Draft:
    """Return the draft that a form posted, brought into shape where fields were changed."""
    return _branch(posted, ROOT, catalogue, 1)


def change(draft: Draft, button: str, catalogue: Catalogue) -> Draft:
    """Return the draft after a button was pressed; an unknown button changes nothing."""
    asked = DO.fullmatch(button)
    if asked is None:
        return draft
    verb, path = asked[1], [int(part) for part in asked[2].split("-") if part]
    if verb == "remove":
        parent = _at(draft, path[:-1]) if path else None
        if parent is not None and path[-1] < len(parent["rules"]):
            parent["rules"].pop(path[-1])
        return draft
    branch = _at(draft, path)
    if branch is not None and len(branch["rules"]) < MAX_CONDITIONS:
        new = _condition(catalogue)
        other = ANY if branch["match"] == ALL else ALL
        branch["rules"].append(new if verb == "add" else {"match": other, "rules": [new]})
    return draft


def drawn(draft: Draft, catalogue: Catalogue, errors: Mapping[str, str]) -> dict[str, Any]:
    """Return what ``groups/_branch.html`` draws; `errors` are those of `core.rules.tree`."""
    return _drawn(draft, ROOT, catalogue, errors, 1)


def name_of(path: str) -> str:
    """Return the name of the part that an error of `core.rules.tree` is about."""
    return "-".join([ROOT, *path.split(".")]) if path else ROOT


def sections(catalogue: Catalogue) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the fields by their sections, for a select."""
    found: dict[str, list[tuple[str, str]]] = {}
    for field in catalogue.values():
        found.setdefault(str(field.section), []).append((field.key, str(field.label)))
    return list(found.items())


def _condition(catalogue: Catalogue) -> Draft:
    field = next(iter(catalogue.values()))
    return {"field": field.key, "operator": str(field.operators[0]), "value": ""}


def _branch(posted: Posted, name: str, catalogue: Catalogue, depth: int) -> Draft:
    rules = []
    for place in range(MAX_CONDITIONS + 1):
        below = f"{name}-{place}"
        if f"{below}-match" in posted and depth <= MAX_DEPTH:
            rules.append(_branch(posted, below, catalogue, depth + 1))
        elif f"{below}-field" in posted:
            rules.append(_posted_condition(posted, below, catalogue))
        else:
            break
    match = ANY if posted.get(f"{name}-match") == ANY else ALL
    return {"match": match, "rules": rules}


def _posted_condition(posted: Posted, name: str, catalogue: Catalogue) -> Draft:
    field = catalogue.get(str(posted.get(f"{name}-field"))) or next(iter(catalogue.values()))
    operator = str(posted.get(f"{name}-operator", ""))
    if operator not in field.operators:
        operator = str(field.operators[0])
    told: Draft = {"field": field.key, "operator": operator}
    if operator in WITHOUT_VALUE:
        return told
    given = [str(value).strip() for value in posted.getlist(f"{name}-value")[:2]] or [""]
    if operator == Op.BETWEEN:
        told["value"] = [given[0], given[-1] if len(given) > 1 else ""]
    else:
        told["value"] = _fitting(field, given[0])
    return told


def _fitting(field: Field, value: str) -> str:
    """A value that a select cannot show becomes the first that it offers."""
    offered = [key for key, _label in options(field)]
    return offered[0] if offered and value not in offered else value


def options(field: Field) -> list[tuple[str, str]]:
    """Return the values that a field can have, where they are few; none for free values."""
    if field.kind is Kind.BOOLEAN:
        return [
            ("true", words.value(field, Op.EQUALS, True)),
            ("false", words.value(field, Op.EQUALS, False)),
        ]
    return [(key, str(label)) for key, label in field.choices]


def _at(draft: Draft, path: list[int]) -> Draft | None:
    found: Draft | None = draft
    for place in path:
        if found is None or "rules" not in found or place >= len(found["rules"]):
            return None
        found = found["rules"][place]
    return found if found is not None and "rules" in found else None


def _drawn(
    draft: Draft, name: str, catalogue: Catalogue, errors: Mapping[str, str], depth: int
) -> dict[str, Any]:
    path = ".".join(name.split("-")[1:])
    told = {"name": name, "error": errors.get(path, ""), "is_root": name == ROOT}
    if "rules" not in draft:
        return told | _drawn_condition(draft, catalogue)
    return told | {
        "is_branch": True,
        "match": draft["match"],
        "can_nest": depth < MAX_DEPTH,
        "rules": [
            _drawn(one, f"{name}-{place}", catalogue, errors, depth + 1)
            for place, one in enumerate(draft["rules"])
        ],
    }


def _drawn_condition(draft: Draft, catalogue: Catalogue) -> dict[str, Any]:
    field = catalogue.get(draft["field"]) or next(iter(catalogue.values()))
    operator = Op(draft["operator"]) if draft["operator"] in field.operators else field.operators[0]
    given = draft.get("value", "")
    shown = [] if operator in WITHOUT_VALUE else given if isinstance(given, list) else [given]
    as_text = [("true" if one else "false") if isinstance(one, bool) else str(one) for one in shown]
    return {
        "field": field.key,
        "label": str(field.label),
        "operator": str(operator),
        "operators": [(str(one), words.operator(one, field.kind)) for one in field.operators],
        "values": as_text,
        "input": "number" if operator in IN_DAYS else INPUTS.get(field.kind, "text"),
        "options": [] if operator in IN_DAYS else options(field),
    }

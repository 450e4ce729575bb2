"""The tree of a rule, read from JSON: nothing unknown, nothing too deep, nothing too large. Pure.

JSON: a branch is ``{"match": "all" | "any", "rules": [...]}``, a condition is
``{"field": "name", "operator": "contains", "value": "lobby"}``; ``between`` has a list of two.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from core.rules import values
from core.rules.errors import RuleInvalid
from core.rules.fields import IN_DAYS, Catalogue, Field, Op
from core.rules.words import problem

MAX_DEPTH = 4
MAX_CONDITIONS = 50
MAX_BRANCHES = 50
ALL, ANY = "all", "any"


@dataclass(frozen=True)
class Condition:
    """`values` are what `core.rules.values` read: none, one, or the two ends of a range."""

    field: str
    operator: Op
    values: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Branch:
    match: str
    rules: tuple[Condition | Branch, ...] = ()

    def conditions(self) -> Iterator[Condition]:
        for rule in self.rules:
            if isinstance(rule, Branch):
                yield from rule.conditions()
            else:
                yield rule


EVERYTHING = Branch(ALL)


def parse(data: Any, catalogue: Catalogue) -> Branch:
    """Return the rule that `data` tells. Raises RuleInvalid with every mistake at its path."""
    reader = _Reader(catalogue)
    branch = reader.branch(data, "", 1)
    if reader.errors:
        raise RuleInvalid(reader.errors)
    assert branch is not None  # noqa: S101 - without an error there is one
    return branch


def dump(rule: Branch) -> dict[str, Any]:
    """Return the JSON of a rule, in its one canonical form."""
    return {
        "match": rule.match,
        "rules": [dump(one) if isinstance(one, Branch) else _dumped(one) for one in rule.rules],
    }


def _dumped(condition: Condition) -> dict[str, Any]:
    told: dict[str, Any] = {"field": condition.field, "operator": str(condition.operator)}
    plain = [values.plain(value) for value in condition.values]
    if plain:
        told["value"] = plain if condition.operator is Op.BETWEEN else plain[0]
    return told


def moves_by_itself(rule: Branch, catalogue: Catalogue) -> bool:
    """Say whether what matches changes with time alone."""
    return any(
        one.operator in IN_DAYS or catalogue[one.field].is_drifting for one in rule.conditions()
    )


@dataclass
class _Reader:
    catalogue: Catalogue
    errors: dict[str, str] = field(default_factory=dict)
    conditions: int = 0
    branches: int = 0

    def branch(self, data: Any, path: str, depth: int) -> Branch | None:
        self.branches += 1
        if not isinstance(data, Mapping) or set(data) != {"match", "rules"}:
            return self._wrong(path, "shape")
        if depth > MAX_DEPTH:
            return self._wrong(path, "depth", limit=MAX_DEPTH)
        if self.branches > MAX_BRANCHES:
            return self._wrong(path, "branches", limit=MAX_BRANCHES)
        rules = data["rules"]
        if data["match"] not in (ALL, ANY) or not isinstance(rules, list):
            return self._wrong(path, "shape")
        if not rules:
            return self._wrong(path, "empty")
        if len(rules) > MAX_CONDITIONS:
            return self._wrong(path, "conditions", limit=MAX_CONDITIONS)
        read = [self._rule(one, _below(path, place), depth) for place, one in enumerate(rules)]
        return Branch(data["match"], tuple(one for one in read if one is not None))

    def _rule(self, data: Any, path: str, depth: int) -> Condition | Branch | None:
        if isinstance(data, Mapping) and "rules" in data:
            return self.branch(data, path, depth + 1)
        self.conditions += 1
        if self.conditions > MAX_CONDITIONS:
            return self._wrong(path, "conditions", limit=MAX_CONDITIONS)
        if not isinstance(data, Mapping) or not set(data) <= {"field", "operator", "value"}:
            return self._wrong(path, "shape")
        name = data.get("field")
        known = self.catalogue.get(name) if isinstance(name, str) else None
        if known is None:
            return self._wrong(path, "field")
        if data.get("operator") not in known.operators:
            return self._wrong(path, "operator")
        return self._condition(known, Op(data["operator"]), data, path)

    def _condition(
        self, known: Field, operator: Op, data: Mapping[str, Any], path: str
    ) -> Condition | None:
        given = data.get("value")
        if (given is not None) != values.needs_value(operator):
            return self._wrong(path, "missing" if given is None else "surplus")
        try:
            return Condition(known.key, operator, values.read(known, operator, given))
        except values.Unreadable as error:
            return self._wrong(path, error.code, **error.params)

    def _wrong(self, path: str, code: str, **params: Any) -> None:
        self.errors[path] = problem(code, **params)


def _below(path: str, place: int) -> str:
    return f"{path}.{place}" if path else str(place)

"""A whole rule in words: as a nested list for a page, or as one line for the history."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from core.rules import words
from core.rules.fields import Catalogue
from core.rules.tree import ALL, Branch


def nested(rule: Branch, catalogue: Catalogue) -> dict[str, Any]:
    """Return ``{is_all, rules: [{text} or the same again]}``."""
    return {
        "is_all": rule.match == ALL,
        "rules": [
            nested(one, catalogue)
            if isinstance(one, Branch)
            else {"text": words.condition(catalogue[one.field], one.operator, one.values)}
            for one in rule.rules
        ],
    }


def line(rule: Branch, catalogue: Catalogue) -> str:
    """Return the rule as one line, with brackets around its parts."""
    parts = [
        f"({line(one, catalogue)})"
        if isinstance(one, Branch)
        else words.condition(catalogue[one.field], one.operator, one.values)
        for one in rule.rules
    ]
    return (_(" and ") if rule.match == ALL else _(" or ")).join(parts)

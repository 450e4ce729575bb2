"""Rules in words: operators, conditions, and what is wrong with them."""

from __future__ import annotations

from typing import Any

from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.rules.fields import Field, Kind, Op

OPERATORS: dict[Op, Any] = {
    Op.EQUALS: gettext_lazy("is"),
    Op.NOT_EQUALS: gettext_lazy("is not"),
    Op.CONTAINS: gettext_lazy("contains"),
    Op.NOT_CONTAINS: gettext_lazy("does not contain"),
    Op.BEGINS: gettext_lazy("begins with"),
    Op.NOT_BEGINS: gettext_lazy("does not begin with"),
    Op.ENDS: gettext_lazy("ends with"),
    Op.NOT_ENDS: gettext_lazy("does not end with"),
    Op.LESS: gettext_lazy("is less than"),
    Op.GREATER: gettext_lazy("is greater than"),
    Op.BETWEEN: gettext_lazy("is between"),
    Op.WITHIN_DAYS: gettext_lazy("is in the last … days"),
    Op.OLDER_DAYS: gettext_lazy("is more than … days ago"),
    Op.MEMBER: gettext_lazy("is"),
    Op.NOT_MEMBER: gettext_lazy("is not"),
    Op.BLANK: gettext_lazy("is empty"),
    Op.NOT_BLANK: gettext_lazy("is not empty"),
}
_TIMES = {Op.LESS: gettext_lazy("is before"), Op.GREATER: gettext_lazy("is after")}
PROBLEMS: dict[str, Any] = {
    "shape": gettext_lazy("This is not a rule."),
    "depth": gettext_lazy("Rules can be nested %(limit)d levels deep."),
    "branches": gettext_lazy("A rule has at most %(limit)d nested parts."),
    "conditions": gettext_lazy("A rule has at most %(limit)d conditions."),
    "empty": gettext_lazy("Add a condition here, or remove this part."),
    "field": gettext_lazy("There is no such field."),
    "operator": gettext_lazy("This comparison does not fit the field."),
    "missing": gettext_lazy("Say what to compare with."),
    "surplus": gettext_lazy("This comparison needs no value."),
    "text": gettext_lazy("A text is needed here."),
    "long": gettext_lazy("A text has at most %(limit)d characters."),
    "control": gettext_lazy("A text cannot have line breaks or control characters."),
    "number": gettext_lazy("Give a number with at most 11 digits and 4 decimals."),
    "version": gettext_lazy("Give a version such as 18.1.2."),
    "boolean": gettext_lazy("Choose yes or no."),
    "date": gettext_lazy("Give a day as year-month-day, such as 2026-01-31."),
    "days": gettext_lazy("Give a number of days from 1 to %(limit)d."),
    "choice": gettext_lazy("Choose one of the values offered."),
    "two": gettext_lazy("A range has a lower and an upper end."),
    "order": gettext_lazy("The lower end of the range comes first."),
}


def problem(code: str, **params: Any) -> str:
    """Return what is wrong, in the reader's language."""
    return str(PROBLEMS[code]) % params


def operator(op: Op, kind: Kind) -> str:
    """Return how a comparison is called for a kind of field."""
    if kind in (Kind.DATE, Kind.MOMENT) and op in _TIMES:
        return str(_TIMES[op])
    return str(OPERATORS[op])


def value(field: Field, op: Op, found: Any) -> str:
    """Return a value of a condition as people write it."""
    if field.kind in (Kind.CHOICE, Kind.GROUP):
        return str(dict(field.choices).get(str(found), found))
    if isinstance(found, bool):
        return _("yes") if found else _("no")
    if field.kind in (Kind.DATE, Kind.MOMENT) and not isinstance(found, int):
        return date_format(found, "DATE_FORMAT")
    if field.kind is Kind.NUMBER:
        return number_format(found)
    return str(found)


def condition(field: Field, op: Op, values: tuple[Any, ...]) -> str:
    """Return a condition as a sentence without a full stop."""
    shown = [value(field, op, one) for one in values]
    names = {"field": field.label, "operator": operator(op, field.kind)}
    if op is Op.WITHIN_DAYS:
        return _("%(field)s is in the last %(days)s days") % (names | {"days": shown[0]})
    if op is Op.OLDER_DAYS:
        return _("%(field)s is more than %(days)s days ago") % (names | {"days": shown[0]})
    if op is Op.BETWEEN:
        names |= {"low": shown[0], "high": shown[1]}
        return _("%(field)s is between “%(low)s” and “%(high)s”") % names
    if not shown:
        return _("%(field)s %(operator)s") % names
    return _("%(field)s %(operator)s “%(value)s”") % (names | {"value": shown[0]})

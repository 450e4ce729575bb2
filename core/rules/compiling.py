"""Compiles a rule to a condition of a query. What the rule holds becomes parameters, never SQL.

Missing values: every positive comparison is false for a missing value, every negative one is
exactly the opposite of its positive one and therefore true for it, and a missing text is the same
as an empty one. So no condition is ever unknown, and ANY, ALL and NOT behave as in plain logic.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db.models import CharField, Exists, F, Model, OuterRef, Q, Value
from django.db.models.functions import Coalesce
from django.db.models.lookups import (
    Contains,
    EndsWith,
    Exact,
    GreaterThan,
    GreaterThanOrEqual,
    IsNull,
    LessThan,
    LessThanOrEqual,
    StartsWith,
)

from core.rules.fields import IN_DAYS, OPPOSITE, Catalogue, Field, Kind, Op
from core.rules.folding import fold
from core.rules.functions import Fold, VersionKey
from core.rules.tree import ALL, Branch, Condition

COLUMNS = {
    Kind.TEXT: "text",
    Kind.NUMBER: "number",
    Kind.BOOLEAN: "flag",
    Kind.DATE: "day",
}
_TEXT = {Op.CONTAINS: Contains, Op.BEGINS: StartsWith, Op.ENDS: EndsWith}
_ORDER = {Op.EQUALS: Exact, Op.LESS: LessThan, Op.GREATER: GreaterThan}


@dataclass(frozen=True)
class Column:
    """A column of the row itself, or of a row that it points to."""

    path: str


@dataclass(frozen=True)
class Attribute:
    """The value of a custom attribute: a row of `model` whose `owner` is the row's `path`."""

    model: type[Model]
    owner: str
    path: str
    attribute_id: Any


@dataclass(frozen=True)
class Membership:
    """A row of `model` that puts the row's `path` into the group that the condition names."""

    model: type[Model]
    member: str
    path: str


@dataclass(frozen=True)
class Related:
    """Whether a row of `model` exists whose `owner` is the row's `path`."""

    model: type[Model]
    owner: str
    path: str


@dataclass(frozen=True)
class Moment:
    """When a rule is asked, and in whose days."""

    now: dt.datetime
    zone: dt.tzinfo

    def start_of(self, day: dt.date) -> dt.datetime:
        return dt.datetime.combine(day, dt.time(), tzinfo=self.zone).astimezone(dt.UTC)

    @property
    def today(self) -> dt.date:
        return self.now.astimezone(self.zone).date()


def compile_rule(rule: Branch, catalogue: Catalogue, moment: Moment) -> Q:
    """Return the condition that a row must meet; an empty branch is met by all."""
    found = Q()
    for one in rule.rules:
        part = (
            compile_rule(one, catalogue, moment)
            if isinstance(one, Branch)
            else compile_condition(one, catalogue[one.field], moment)
        )
        found = found & part if rule.match == ALL else found | part
    return found


def compile_condition(condition: Condition, field: Field, moment: Moment) -> Q:
    """Return one condition; a negative one is the opposite of its positive one."""
    positive = OPPOSITE.get(condition.operator)
    if positive is not None:
        return ~_positive(Condition(field.key, positive, condition.values), field, moment)
    return _positive(condition, field, moment)


def _positive(condition: Condition, field: Field, moment: Moment) -> Q:
    source = field.source
    if isinstance(source, Membership):
        rows = source.model._default_manager.filter(
            **{source.member: OuterRef(source.path), "group_id": condition.values[0]}
        )
        return Q(Exists(rows))
    if isinstance(source, Related):
        rows = source.model._default_manager.filter(**{source.owner: OuterRef(source.path)})
        return _of_fact(Q(Exists(rows)), condition)
    if isinstance(source, Attribute):
        rows = source.model._default_manager.filter(
            **{source.owner: OuterRef(source.path), "attribute_id": source.attribute_id}
        )
        if condition.operator is Op.BLANK:
            return ~Q(Exists(rows))
        return Q(Exists(rows.filter(_compared(condition, field, COLUMNS[field.kind], moment))))
    return _compared(condition, field, source.path, moment)


def _of_fact(fact: Q, condition: Condition) -> Q:
    """What can be asked about something that is always known: yes or no, never empty."""
    if condition.operator is Op.BLANK:
        return Q(pk__in=())
    return fact if condition.values[0] else ~fact


def _compared(condition: Condition, field: Field, path: str, moment: Moment) -> Q:
    if field.kind in (Kind.TEXT, Kind.CHOICE):
        return _text(condition, field.kind, path)
    left: Any = VersionKey(F(path)) if field.kind is Kind.VERSION else F(path)
    missing = Q(IsNull(left, True))
    if condition.operator is Op.BLANK:
        return missing
    low, high = condition.values[0], condition.values[-1]
    if field.kind is Kind.MOMENT:
        compared = _moments(condition.operator, left, low, high, moment)
    elif condition.operator in IN_DAYS:
        first = moment.today - dt.timedelta(days=low)
        compared = (
            Q(LessThan(left, first))
            if condition.operator is Op.OLDER_DAYS
            else Q(GreaterThanOrEqual(left, first)) & Q(LessThanOrEqual(left, moment.today))
        )
    else:
        if field.kind is Kind.VERSION:
            low, high = VersionKey(Value(low)), VersionKey(Value(high))
        compared = _ordered(condition.operator, left, low, high)
    return compared & ~missing


def _text(condition: Condition, kind: Kind, path: str) -> Q:
    plain: Any = Coalesce(F(path), Value(""), output_field=CharField())
    if condition.operator is Op.BLANK:
        return Q(Exact(plain, ""))
    if kind is Kind.CHOICE:
        return Q(Exact(plain, condition.values[0]))
    return Q(_TEXT.get(condition.operator, Exact)(Fold(plain), fold(condition.values[0])))


def _ordered(operator: Op, left: Any, low: Any, high: Any) -> Q:
    if operator is Op.BETWEEN:
        return Q(GreaterThanOrEqual(left, low)) & Q(LessThanOrEqual(left, high))
    return Q(_ORDER[operator](left, low))


def _moments(operator: Op, left: Any, low: Any, high: Any, moment: Moment) -> Q:
    """Compare a moment with whole days of the organisation's time zone."""
    if operator in IN_DAYS:
        since = moment.now - dt.timedelta(days=low)
        if operator is Op.OLDER_DAYS:
            return Q(LessThan(left, since))
        return Q(GreaterThanOrEqual(left, since)) & Q(LessThanOrEqual(left, moment.now))
    start, end = moment.start_of(low), moment.start_of(high + dt.timedelta(days=1))
    if operator is Op.LESS:
        return Q(LessThan(left, start))
    if operator is Op.GREATER:
        return Q(GreaterThanOrEqual(left, end))
    return Q(GreaterThanOrEqual(left, start)) & Q(LessThan(left, end))

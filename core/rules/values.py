"""Reads what a condition compares with: strictly by the kind of its field. Pure."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from decimal import Decimal, InvalidOperation
from typing import Any

from core.rules.fields import IN_DAYS, WITHOUT_VALUE, Field, Kind, Op
from core.rules.folding import version_key

MAX_TEXT = 200
MAX_DIGITS, DECIMALS = 15, 4
MAX_DAYS = 36_500
NUMBER = re.compile(r"[+-]?[0-9]{1,11}(?:\.[0-9]{1,4})?")
VERSION = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9}){0,5}")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


class Unreadable(ValueError):
    """`code` names the sentence in `core.rules.words`."""

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code)
        self.code, self.params = code, params


def needs_value(operator: Op) -> bool:
    return operator not in WITHOUT_VALUE


def read(field: Field, operator: Op, given: Any) -> tuple[Any, ...]:
    """Return the values of a condition. Raises Unreadable."""
    if not needs_value(operator):
        return ()
    if operator in IN_DAYS:
        return (_days(given),)
    if operator is not Op.BETWEEN:
        return (_one(field, given),)
    if not isinstance(given, list) or len(given) != 2:
        raise Unreadable("two")
    low, high = (_one(field, one) for one in given)
    if _rank(field.kind, low) > _rank(field.kind, high):
        raise Unreadable("order")
    return low, high


def plain(value: Any) -> Any:
    """Return a value as JSON has it."""
    return value if isinstance(value, bool | int | str) else str(value)


def _one(field: Field, given: Any) -> Any:
    return _READERS[field.kind](field, given)


def _rank(kind: Kind, value: Any) -> Any:
    return version_key(value) if kind is Kind.VERSION else value


def text(given: Any, longest: int = MAX_TEXT) -> str:
    """Return a line of text without spaces around it. Raises Unreadable."""
    if not isinstance(given, str):
        raise Unreadable("text")
    if len(given) > longest:
        raise Unreadable("long", limit=longest)
    if CONTROL.search(given):
        raise Unreadable("control")
    if not given.strip():
        raise Unreadable("missing")
    return given.strip()


def number(given: Any) -> Decimal:
    """Return a number of at most 11 digits and 4 decimals. Raises Unreadable."""
    if isinstance(given, bool) or not isinstance(given, int | float | str):
        raise Unreadable("number")
    written = (given if isinstance(given, str) else repr(given)).strip().replace(",", ".")
    if len(written) > 40 or not NUMBER.fullmatch(written):
        raise Unreadable("number")
    try:
        found = Decimal(written)
    except InvalidOperation as error:  # pragma: no cover - the pattern lets nothing such through
        raise Unreadable("number") from error
    # One way to write each number: 1.50 and 1.5 are one, and there is no minus zero.
    return Decimal(format(found.normalize() + 0, "f"))


def boolean(given: Any) -> bool:
    """Return yes or no. Raises Unreadable."""
    if isinstance(given, bool):
        return given
    if given in ("true", "false"):
        return bool(given == "true")
    raise Unreadable("boolean")


def date(given: Any) -> dt.date:
    """Return a day written as 2026-01-31. Raises Unreadable."""
    try:
        if not isinstance(given, str) or len(given.strip()) != 10:
            raise Unreadable("date")
        found = dt.date.fromisoformat(given.strip())
    except ValueError as error:
        raise Unreadable("date") from error
    if not 1900 <= found.year <= 2200:
        raise Unreadable("date")
    return found


def _days(given: Any) -> int:
    written = str(given).strip() if isinstance(given, int | str) else ""
    is_number = len(written) <= 5 and written.isascii() and written.isdigit()
    if isinstance(given, bool) or not is_number or not 1 <= int(written) <= MAX_DAYS:
        raise Unreadable("days", limit=MAX_DAYS)
    return int(written)


def _version(given: Any) -> str:
    if not isinstance(given, str) or not VERSION.fullmatch(given.strip()):
        raise Unreadable("version")
    return given.strip()


def _choice(field: Field, given: Any) -> str:
    if not isinstance(given, str) or given not in dict(field.choices):
        raise Unreadable("choice")
    return given


def _group(field: Field, given: Any) -> str:
    try:
        found = str(uuid.UUID(given)) if isinstance(given, str) else ""
    except ValueError:
        found = ""
    return _choice(field, found)


_READERS = {
    Kind.TEXT: lambda field, given: text(given),
    Kind.NUMBER: lambda field, given: number(given),
    Kind.VERSION: lambda field, given: _version(given),
    Kind.BOOLEAN: lambda field, given: boolean(given),
    Kind.DATE: lambda field, given: date(given),
    Kind.MOMENT: lambda field, given: date(given),
    Kind.CHOICE: _choice,
    Kind.GROUP: _group,
}

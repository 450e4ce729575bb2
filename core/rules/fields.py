"""What a rule may ask about: the allow-list of fields, their kinds and operators. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    TEXT = "text"
    NUMBER = "number"
    VERSION = "version"
    BOOLEAN = "boolean"
    DATE = "date"
    MOMENT = "moment"
    CHOICE = "choice"
    GROUP = "group"


KINDS = tuple((kind.value, kind.value) for kind in Kind)


class Op(StrEnum):
    EQUALS = "equals"
    NOT_EQUALS = "not_equals"
    CONTAINS = "contains"
    NOT_CONTAINS = "not_contains"
    BEGINS = "begins"
    NOT_BEGINS = "not_begins"
    ENDS = "ends"
    NOT_ENDS = "not_ends"
    LESS = "less"
    GREATER = "greater"
    BETWEEN = "between"
    WITHIN_DAYS = "within_days"
    OLDER_DAYS = "older_days"
    MEMBER = "member"
    NOT_MEMBER = "not_member"
    BLANK = "blank"
    NOT_BLANK = "not_blank"


# A negative operator is exactly the opposite of its positive one, for missing values too.
OPPOSITE = {
    Op.NOT_EQUALS: Op.EQUALS,
    Op.NOT_CONTAINS: Op.CONTAINS,
    Op.NOT_BEGINS: Op.BEGINS,
    Op.NOT_ENDS: Op.ENDS,
    Op.NOT_MEMBER: Op.MEMBER,
    Op.NOT_BLANK: Op.BLANK,
}
WITHOUT_VALUE = frozenset({Op.BLANK, Op.NOT_BLANK})
IN_DAYS = frozenset({Op.WITHIN_DAYS, Op.OLDER_DAYS})
_EQUAL, _BLANK = (Op.EQUALS, Op.NOT_EQUALS), (Op.BLANK, Op.NOT_BLANK)
_ORDER = (Op.LESS, Op.GREATER, Op.BETWEEN)
_TEXT = (Op.CONTAINS, Op.NOT_CONTAINS, Op.BEGINS, Op.NOT_BEGINS, Op.ENDS, Op.NOT_ENDS)
OPERATORS: dict[Kind, tuple[Op, ...]] = {
    Kind.TEXT: (*_EQUAL, *_TEXT, *_BLANK),
    Kind.NUMBER: (*_EQUAL, *_ORDER, *_BLANK),
    Kind.VERSION: (*_EQUAL, *_ORDER, *_BLANK),
    Kind.BOOLEAN: (*_EQUAL, *_BLANK),
    Kind.DATE: (*_EQUAL, *_ORDER, Op.WITHIN_DAYS, Op.OLDER_DAYS, *_BLANK),
    Kind.MOMENT: (*_EQUAL, *_ORDER, Op.WITHIN_DAYS, Op.OLDER_DAYS, *_BLANK),
    Kind.CHOICE: _EQUAL,
    Kind.GROUP: (Op.MEMBER, Op.NOT_MEMBER),
}


@dataclass(frozen=True)
class Field:
    """`source` says where the value is (see `core.rules.compiling`). A drifting field changes
    without anybody changing it, as the last contact does."""

    key: str
    label: Any
    kind: Kind
    source: Any
    section: Any = ""
    choices: tuple[tuple[str, Any], ...] = ()
    is_drifting: bool = False

    @property
    def operators(self) -> tuple[Op, ...]:
        return OPERATORS[self.kind]


Catalogue = Mapping[str, Field]

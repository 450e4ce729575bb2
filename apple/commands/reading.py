"""Table-driven reading of results: known keys, known types, bounded sizes, nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from apple.protocol import fields

Reader = Callable[[object], Any]

text: Reader = fields.to_text
boolean: Reader = fields.to_boolean
integer: Reader = fields.to_integer
real: Reader = fields.to_real
moment: Reader = fields.to_moment


def record(table: Mapping[str, Reader]) -> Reader:
    """Return a reader of dictionaries with the keys of `table`; anything else is left out."""

    def read(value: object) -> dict[str, Any] | None:
        if not isinstance(value, dict):
            return None
        found = {key: reader(value[key]) for key, reader in table.items() if key in value}
        return {key: item for key, item in found.items() if item is not None}

    return read


def listing(reader: Reader, limit: int) -> Reader:
    """Return a reader of arrays that keeps at most `limit` readable items."""

    def read(value: object) -> list[Any] | None:
        if not isinstance(value, list):
            return None
        items = (reader(item) for item in value[:limit])
        return [item for item in items if item is not None]

    return read


def section(value: object, reader: Reader, limit: int) -> dict[str, Any]:
    """Return an inventory section for a list: its items, how many there were, and if cut."""
    items = listing(reader, limit)(value) or []
    total = len(value) if isinstance(value, list) else 0
    return {"items": items, "total": total, "is_cut": total > limit}

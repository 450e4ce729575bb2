"""Guarded reading and plain writing of XML property lists."""

from __future__ import annotations

import plistlib
import re
from typing import Any
from xml.parsers.expat import ExpatError

from apple.protocol.errors import BodyTooLargeError, PlistError

MAX_DEPTH = 32
MAX_NODES = 500_000

# What plistlib and expat raise on malformed input, found by fuzzing: a bad <date> is an
# AttributeError, a <key> outside a dictionary an IndexError, an unknown encoding a LookupError.
_PARSER_ERRORS = (
    ExpatError,
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    OverflowError,
    RecursionError,
)
_INTERNAL_SUBSET = re.compile(rb"<!DOCTYPE[^>\[]*\[")


def read(body: bytes, *, limit: int, max_nodes: int = MAX_NODES) -> dict[str, Any]:
    """Return the dictionary in `body`, an XML property list of at most `limit` bytes.

    Binary property lists are refused because they can hold cycles and shared references;
    entities and internal DTD subsets because no device sends them. A repeated key keeps its
    last value. Raises BodyTooLargeError (413) or PlistError (400), nothing else.
    """
    if len(body) > limit:
        raise BodyTooLargeError("body exceeds its limit")
    if b"\0" in body:
        raise PlistError("not a UTF-8 XML property list")
    if _INTERNAL_SUBSET.search(body):
        raise PlistError("document type with an internal subset")
    # Each value has at most an opening and a closing tag, so this bounds the work of the parser.
    if body.count(b"<") > 4 * max_nodes:
        raise PlistError("too many elements")
    try:
        root = plistlib.loads(body, fmt=plistlib.FMT_XML)
    except _PARSER_ERRORS as error:
        raise PlistError(f"unreadable property list ({type(error).__name__})") from None
    if not isinstance(root, dict):
        raise PlistError("the root is not a dictionary")
    _check_shape(root, max_nodes)
    return root


def write(value: dict[str, Any]) -> bytes:
    """Return `value` as XML with sorted keys, so that equal values give equal bytes."""
    return plistlib.dumps(value, fmt=plistlib.FMT_XML, sort_keys=True)


def _check_shape(root: dict[str, Any], max_nodes: int) -> None:
    # Level by level instead of recursive: nesting is bounded by the body size, not by the stack.
    level: list[Any] = [root]
    depth = nodes = 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            raise PlistError("nested too deeply")
        below: list[Any] = []
        for container in level:
            nodes += len(container)
            if nodes > max_nodes:
                raise PlistError("too many elements")
            values = container.values() if isinstance(container, dict) else container
            below.extend(value for value in values if isinstance(value, (dict, list)))
        level = below

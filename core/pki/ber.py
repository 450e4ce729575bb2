"""A bounded reader for BER and DER: every header is visited at most twice, nothing recurses."""

from __future__ import annotations

from typing import NamedTuple

from core.pki.errors import CmsError

MAX_DEPTH = 24
MAX_ELEMENTS = 5_000

INTEGER = 0x02
BIT_STRING = 0x03
OCTET_STRING = 0x04
NULL = 0x05
OID = 0x06
UTF8_STRING = 0x0C
PRINTABLE_STRING = 0x13
IA5_STRING = 0x16
UTC_TIME = 0x17
SEQUENCE = 0x30
SET = 0x31
CONSTRUCTED = 0x20

_END_OF_CONTENTS = b"\x00\x00"
_INDEFINITE = -1


class Element(NamedTuple):
    """One element: `start` of its header, `body`..`end` its contents, `next` what follows it."""

    tag: int
    start: int
    body: int
    end: int
    next: int


class BerReader:
    """Reads elements of one message. Raises `CmsError` (`malformed`, `too_complex`) and no other.

    The budget counts headers, so that the work is bounded by the message and never by what the
    message claims about itself. Tags above 30 do not occur in CMS or X.509 and are refused.
    """

    __slots__ = ("_budget", "_ends", "data")

    def __init__(self, data: bytes, *, max_elements: int = MAX_ELEMENTS) -> None:
        self.data = data
        self._budget = max_elements
        self._ends: dict[int, int] = {}

    def root(self, tag: int = SEQUENCE) -> Element:
        """The single element that fills the whole message."""
        element = self.read(0, len(self.data))
        if element.tag != tag or element.next != len(self.data):
            raise CmsError("malformed", "not one element of the expected type")
        return element

    def read(self, offset: int, limit: int) -> Element:
        tag, body, end = self._header(offset, limit)
        if end != _INDEFINITE:
            return Element(tag, offset, body, end, end)
        if body not in self._ends:
            self._find_ends(body, limit)
        end = self._ends[body]
        return Element(tag, offset, body, end, end + 2)

    def children(self, parent: Element) -> list[Element]:
        found = []
        position = parent.body
        while position < parent.end:
            element = self.read(position, parent.end)
            found.append(element)
            position = element.next
        return found

    def raw(self, element: Element) -> bytes:
        """The element with its header, exactly as it was sent."""
        return self.data[element.start : element.next]

    def value(self, element: Element, tag: int) -> bytes:
        """The contents of a primitive element of the given tag."""
        if element.tag != tag:
            raise CmsError("malformed", "unexpected element")
        return self.data[element.body : element.end]

    def integer(self, element: Element) -> int:
        value = self.value(element, INTEGER)
        if not value:
            raise CmsError("malformed", "empty integer")
        return int.from_bytes(value, "big", signed=True)

    def octets(self, element: Element, tag: int = OCTET_STRING) -> bytes:
        """An octet string (or an implicitly tagged one), in one piece or in BER segments."""
        if element.tag == tag:
            return self.data[element.body : element.end]
        if element.tag != tag | CONSTRUCTED:
            raise CmsError("malformed", "not an octet string")
        pieces = []
        pending = self.children(element)[::-1]
        while pending:
            piece = pending.pop()
            if piece.tag == OCTET_STRING:
                pieces.append(self.data[piece.body : piece.end])
            elif piece.tag == OCTET_STRING | CONSTRUCTED:
                pending.extend(self.children(piece)[::-1])
            else:
                raise CmsError("malformed", "not an octet string segment")
        return b"".join(pieces)

    def _header(self, offset: int, limit: int) -> tuple[int, int, int]:
        self._budget -= 1
        if self._budget < 0:
            raise CmsError("too_complex", "too many elements")
        data = self.data
        if offset + 2 > limit:
            raise CmsError("malformed", "truncated element")
        tag, length = data[offset], data[offset + 1]
        if tag & 0x1F == 0x1F:
            raise CmsError("malformed", "tag number too high")
        body = offset + 2
        if length >= 0x80:
            if length == 0x80 and tag & CONSTRUCTED:
                return tag, body, _INDEFINITE
            size = length & 0x7F
            if not 1 <= size <= 4 or body + size > limit:
                raise CmsError("malformed", "unreadable length")
            length = int.from_bytes(data[body : body + size], "big")
            body += size
        end = body + length
        if end > limit:
            raise CmsError("malformed", "element longer than its container")
        return tag, body, end

    def _find_ends(self, body: int, limit: int) -> None:
        """Find where an indefinite element closes, and those nested directly within it."""
        data = self.data
        unclosed = [body]
        position = body
        while unclosed:
            if position + 2 <= limit and data[position : position + 2] == _END_OF_CONTENTS:
                self._ends[unclosed.pop()] = position
                position += 2
                continue
            _, inner_body, end = self._header(position, limit)
            if end == _INDEFINITE:
                if len(unclosed) >= MAX_DEPTH:
                    raise CmsError("too_complex", "nested too deeply")
                unclosed.append(inner_body)
                position = inner_body
            else:
                position = end

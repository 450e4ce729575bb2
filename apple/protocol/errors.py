"""Errors of the pure protocol code; each names the HTTP status a device should see."""

from __future__ import annotations


class ProtocolError(ValueError):
    """A message breaks the protocol. The text is for logs and never quotes the message."""

    status = 400


class PlistError(ProtocolError):
    """The body is not a property list that we are willing to read."""


class BodyTooLargeError(PlistError):
    """The body exceeds the caller's limit."""

    status = 413


class UnknownMessageError(ProtocolError):
    """A check-in names a MessageType, or a result a Status, that we do not know."""

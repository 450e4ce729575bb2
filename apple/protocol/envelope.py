"""Answers to devices: the command envelope and the few check-in replies that have a body."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from apple.protocol import plist


def command(command_uuid: str, body: Mapping[str, Any]) -> bytes:
    """Return the bytes that hand one command out; `body` holds RequestType and its keys."""
    if not body.get("RequestType"):
        raise ValueError("a command needs a RequestType")
    return plist.write({"CommandUUID": command_uuid, "Command": dict(body)})


def bootstrap_token(token: bytes) -> bytes:
    """Return the answer to GetBootstrapToken; empty data says that none is stored."""
    return plist.write({"BootstrapToken": token})


def no_challenge() -> bytes:
    """Return the answer to UserAuthenticate that manages the user and asks for no password."""
    return plist.write({"DigestChallenge": ""})

"""What a device says on the command channel: Idle, or the result of one command."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from apple.protocol import fields
from apple.protocol.enrollment import EnrollmentId, read_enrollment_id
from apple.protocol.errors import ProtocolError, UnknownMessageError

UUID_LIMIT = 64
MAX_ERRORS = 16
DESCRIPTION_LIMIT = 1000


class Status(StrEnum):
    IDLE = "Idle"
    ACKNOWLEDGED = "Acknowledged"
    ERROR = "Error"
    COMMAND_FORMAT_ERROR = "CommandFormatError"
    NOT_NOW = "NotNow"


@dataclass(frozen=True, slots=True)
class DeviceError:
    """One link of an ErrorChain. Codes are unstable: show them, never decide by them."""

    domain: str
    code: int
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectMessage:
    """`body` is the whole dictionary, for the module that knows the command."""

    enrollment: EnrollmentId
    status: Status
    command_uuid: str
    errors: tuple[DeviceError, ...]
    not_on_console: bool
    need_sync_response: bool
    user_configuration: bool
    body: Mapping[str, Any]


def parse(body: Mapping[str, Any]) -> ConnectMessage:
    """Return the typed message; `command_uuid` is "" when the device gave none.

    A result without CommandUUID is readable on purpose: a device repeats a refused result for
    ever. Raises UnknownMessageError for a Status that is not ours, ProtocolError otherwise.
    """
    status = body.get("Status")
    if not isinstance(status, str):
        raise ProtocolError("Status is missing")
    if status not in _STATUSES:
        raise UnknownMessageError("unknown Status")
    is_idle = status == Status.IDLE
    return ConnectMessage(
        enrollment=read_enrollment_id(body),
        status=_STATUSES[status],
        command_uuid="" if is_idle else fields.token(body, "CommandUUID", UUID_LIMIT),
        errors=() if is_idle else read_error_chain(body.get("ErrorChain")),
        not_on_console=fields.flag(body, "NotOnConsole"),
        need_sync_response=fields.flag(body, "NeedSyncResponse"),
        user_configuration=fields.flag(body, "UserConfiguration"),
        body=body,
    )


def read_error_chain(chain: object) -> tuple[DeviceError, ...]:
    """Return the usable links of an ErrorChain; malformed ones are left out."""
    if not isinstance(chain, list):
        return ()
    links = [item for item in chain[:MAX_ERRORS] if isinstance(item, dict)]
    return tuple(
        DeviceError(
            domain=fields.to_text(item.get("ErrorDomain")) or "",
            code=fields.to_integer(item.get("ErrorCode")) or 0,
            description=_description(item),
        )
        for item in links
    )


def _description(item: Mapping[str, Any]) -> str:
    for key in ("USEnglishDescription", "LocalizedDescription"):
        if text := fields.to_text(item.get(key), DESCRIPTION_LIMIT):
            return text
    return ""


_STATUSES = {status.value: status for status in Status}

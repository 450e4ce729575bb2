"""Check-in messages as typed values, one class for each MessageType."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from apple.protocol import fields
from apple.protocol.enrollment import EnrollmentId, read_enrollment_id
from apple.protocol.errors import ProtocolError, UnknownMessageError

TOPIC_LIMIT = 120
PUSH_TOKEN_LIMIT = 256
PUSH_MAGIC_LIMIT = 255
SECRET_LIMIT = 65_536
DECLARATION_LIMIT = 1_048_576
SHORT_LIMIT = 40
LONG_LIMIT = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckinMessage:
    enrollment: EnrollmentId


@dataclass(frozen=True, slots=True, kw_only=True)
class Authenticate(CheckinMessage):
    topic: str
    os_version: str
    build_version: str
    product_name: str
    serial_number: str
    imei: str
    meid: str
    device_name: str
    model_name: str
    model: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenUpdate(CheckinMessage):
    """`unlock_token` is None when this update carries none; the stored one stays then."""

    topic: str
    token: bytes
    push_magic: str
    unlock_token: bytes | None
    awaiting_configuration: bool
    not_on_console: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOut(CheckinMessage):
    topic: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SetBootstrapToken(CheckinMessage):
    """An empty `token` asks to delete the stored one."""

    token: bytes
    awaiting_configuration: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class GetBootstrapToken(CheckinMessage):
    awaiting_configuration: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class UserAuthenticate(CheckinMessage):
    digest_response: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GetToken(CheckinMessage):
    service_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclarativeManagement(CheckinMessage):
    endpoint: str
    data: bytes | None


def parse(body: Mapping[str, Any]) -> CheckinMessage:
    """Return the typed message. Unknown keys are ignored, wrong types are refused.

    Raises UnknownMessageError for a MessageType that is not ours, ProtocolError otherwise.
    """
    message_type = body.get("MessageType")
    if not isinstance(message_type, str):
        raise ProtocolError("MessageType is missing")
    reader = _READERS.get(message_type)
    if reader is None:
        raise UnknownMessageError("unknown MessageType")
    return reader(body, read_enrollment_id(body))


def _authenticate(body: Mapping[str, Any], enrollment: EnrollmentId) -> Authenticate:
    if enrollment.is_user_channel:
        raise ProtocolError("Authenticate on a user channel")
    return Authenticate(
        enrollment=enrollment,
        topic=fields.required_token(body, "Topic", TOPIC_LIMIT),
        os_version=fields.label(body, "OSVersion", SHORT_LIMIT),
        build_version=fields.label(body, "BuildVersion", SHORT_LIMIT),
        product_name=fields.label(body, "ProductName", 80),
        serial_number=fields.label(body, "SerialNumber", 64),
        imei=fields.label(body, "IMEI", SHORT_LIMIT),
        meid=fields.label(body, "MEID", SHORT_LIMIT),
        device_name=fields.label(body, "DeviceName", 200),
        model_name=fields.label(body, "ModelName", 120),
        model=fields.label(body, "Model", 80),
    )


def _token_update(body: Mapping[str, Any], enrollment: EnrollmentId) -> TokenUpdate:
    token = fields.data(body, "Token", PUSH_TOKEN_LIMIT)
    if not token:
        raise ProtocolError("Token is missing")
    return TokenUpdate(
        enrollment=enrollment,
        topic=fields.required_token(body, "Topic", TOPIC_LIMIT),
        token=token,
        push_magic=fields.required_token(body, "PushMagic", PUSH_MAGIC_LIMIT),
        unlock_token=fields.data(body, "UnlockToken", SECRET_LIMIT) or None,
        awaiting_configuration=fields.flag(body, "AwaitingConfiguration"),
        not_on_console=fields.flag(body, "NotOnConsole"),
    )


def _check_out(body: Mapping[str, Any], enrollment: EnrollmentId) -> CheckOut:
    return CheckOut(enrollment=enrollment, topic=fields.token(body, "Topic", TOPIC_LIMIT))


def _set_bootstrap_token(body: Mapping[str, Any], enrollment: EnrollmentId) -> SetBootstrapToken:
    return SetBootstrapToken(
        enrollment=enrollment,
        token=fields.data(body, "BootstrapToken", SECRET_LIMIT) or b"",
        awaiting_configuration=fields.flag(body, "AwaitingConfiguration"),
    )


def _get_bootstrap_token(body: Mapping[str, Any], enrollment: EnrollmentId) -> GetBootstrapToken:
    return GetBootstrapToken(
        enrollment=enrollment,
        awaiting_configuration=fields.flag(body, "AwaitingConfiguration"),
    )


def _user_authenticate(body: Mapping[str, Any], enrollment: EnrollmentId) -> UserAuthenticate:
    if not enrollment.is_user_channel:
        raise ProtocolError("UserAuthenticate without a user")
    return UserAuthenticate(
        enrollment=enrollment,
        digest_response=fields.label(body, "DigestResponse", 4096),
    )


def _get_token(body: Mapping[str, Any], enrollment: EnrollmentId) -> GetToken:
    return GetToken(
        enrollment=enrollment,
        service_type=fields.required_token(body, "TokenServiceType", LONG_LIMIT),
    )


def _declarative(body: Mapping[str, Any], enrollment: EnrollmentId) -> DeclarativeManagement:
    return DeclarativeManagement(
        enrollment=enrollment,
        endpoint=fields.required_token(body, "Endpoint", 1024),
        data=fields.data(body, "Data", DECLARATION_LIMIT),
    )


_READERS: dict[str, Callable[[Mapping[str, Any], EnrollmentId], CheckinMessage]] = {
    "Authenticate": _authenticate,
    "TokenUpdate": _token_update,
    "CheckOut": _check_out,
    "SetBootstrapToken": _set_bootstrap_token,
    "GetBootstrapToken": _get_bootstrap_token,
    "UserAuthenticate": _user_authenticate,
    "GetToken": _get_token,
    "DeclarativeManagement": _declarative,
}

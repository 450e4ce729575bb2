"""Who a message says it comes from: one key for the device and one for the user, if any."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from apple.protocol import fields
from apple.protocol.errors import ProtocolError

DEVICE_KEY_LIMIT = 128
USER_KEY_LIMIT = 128
SHORT_NAME_LIMIT = 120
LONG_NAME_LIMIT = 200
# Every user of a Shared iPad has this UserID; the short name tells them apart.
SHARED_IPAD_USER_ID = "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF"


@dataclass(frozen=True, slots=True)
class EnrollmentId:
    """A claim: nothing here is true until the certificate is found to belong to it."""

    device_key: str
    user_key: str = ""
    is_user_enrollment: bool = False
    user_short_name: str = field(default="", compare=False)
    user_long_name: str = field(default="", compare=False)

    @property
    def is_user_channel(self) -> bool:
        return bool(self.user_key)


def read_enrollment_id(body: Mapping[str, Any]) -> EnrollmentId:
    """Normalise the identifying keys of any check-in or command-channel message.

    Keys are compared as received (UDIDs are opaque). Raises ProtocolError without UDID and
    EnrollmentID.
    """
    udid = fields.token(body, "UDID", DEVICE_KEY_LIMIT)
    enrollment_id = fields.token(body, "EnrollmentID", DEVICE_KEY_LIMIT)
    if not udid and not enrollment_id:
        raise ProtocolError("neither UDID nor EnrollmentID")
    short_name = fields.label(body, "UserShortName", SHORT_NAME_LIMIT)
    long_name = fields.label(body, "UserLongName", LONG_NAME_LIMIT)
    if udid:
        user_key = fields.token(body, "UserID", USER_KEY_LIMIT)
        if user_key == SHARED_IPAD_USER_ID:
            if not short_name:
                raise ProtocolError("a Shared iPad user without UserShortName")
            user_key = short_name
    else:
        user_key = fields.token(body, "EnrollmentUserID", USER_KEY_LIMIT)
    return EnrollmentId(
        device_key=udid or enrollment_id,
        user_key=user_key,
        is_user_enrollment=not udid,
        user_short_name=short_name,
        user_long_name=long_name,
    )

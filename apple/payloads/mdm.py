"""The MDM payload: where a device checks in, and what the server may ask of it."""

from __future__ import annotations

import re
import uuid
from typing import Any

from apple.payloads.base import PayloadError, common, url

PAYLOAD_TYPE = "com.apple.mdm"
# All rights from the first profile on: an update must never gain a bit.
ALL_ACCESS_RIGHTS = 8191
SERVER_CAPABILITIES = (
    "com.apple.mdm.per-user-connections",
    "com.apple.mdm.bootstraptoken",
)
_TOPIC = re.compile(r"com\.apple\.mgmt\.[\x21-\x7e]{1,200}")


def build(
    *,
    server_url: str,
    checkin_url: str,
    topic: str,
    identity_uuid: uuid.UUID,
    identifier: str,
    payload_uuid: uuid.UUID,
    display_name: str,
) -> dict[str, Any]:
    """Return the payload; `identity_uuid` is the PayloadUUID of the identity beside it.

    URLs, topic, rights and capabilities cannot change once a device is enrolled
    (Apple, "MDM" profile page). Raises PayloadError for what no device would accept.
    """
    if not _TOPIC.fullmatch(topic):
        raise PayloadError("the topic must begin with com.apple.mgmt.")
    payload = common(
        payload_type=PAYLOAD_TYPE,
        identifier=identifier,
        payload_uuid=payload_uuid,
        display_name=display_name,
    )
    payload |= {
        "IdentityCertificateUUID": str(identity_uuid).upper(),
        "Topic": topic,
        "ServerURL": url("ServerURL", server_url),
        "CheckInURL": url("CheckInURL", checkin_url),
        "AccessRights": ALL_ACCESS_RIGHTS,
        "SignMessage": True,
        "CheckOutWhenRemoved": True,
        "ServerCapabilities": list(SERVER_CAPABILITIES),
    }
    return payload

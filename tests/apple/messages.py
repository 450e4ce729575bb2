"""Messages as devices send them, for the tests of the Apple room."""

from __future__ import annotations

from typing import Any

UDID = "00008030-001A2B3C4D5E6F70"
MAC_UDID = "6A1C2B3D-4E5F-6071-8293-A4B5C6D7E8F9"
TOPIC = "com.apple.mgmt.External.6b1f3c9e-0000-4000-8000-000000000001"
USER_ID = "0F1E2D3C-4B5A-6978-8796-A5B4C3D2E1F0"


def authenticate(**changes: Any) -> dict[str, Any]:
    return {
        "MessageType": "Authenticate",
        "Topic": TOPIC,
        "UDID": UDID,
        "OSVersion": "17.5.1",
        "BuildVersion": "21F90",
        "ProductName": "iPhone15,2",
        "SerialNumber": "F2LXK1ABCD",
        "IMEI": "35 000000 000000 1",
    } | changes


def authenticate_mac(**changes: Any) -> dict[str, Any]:
    return {
        "MessageType": "Authenticate",
        "Topic": TOPIC,
        "UDID": MAC_UDID,
        "OSVersion": "14.5",
        "BuildVersion": "23F79",
        "ProductName": "Mac14,2",
        "SerialNumber": "C02ZW0ABCD",
        "DeviceName": "Ada's MacBook Air",
        "ModelName": "MacBook Air",
        "Model": "Mac14,2",
        "Challenge": b"unknown keys are normal",
    } | changes


def token_update(**changes: Any) -> dict[str, Any]:
    return {
        "MessageType": "TokenUpdate",
        "Topic": TOPIC,
        "UDID": UDID,
        "Token": bytes(range(32)),
        "PushMagic": "5D9C3B6A-7E8F-4A1B-9C2D-3E4F5A6B7C8D",
        "UnlockToken": b"unlock " * 40,
    } | changes


def user_token_update(**changes: Any) -> dict[str, Any]:
    body = token_update(
        UDID=MAC_UDID,
        UserID=USER_ID,
        UserShortName="ada",
        UserLongName="Ada Lovelace",
        NotOnConsole=False,
        Token=bytes(range(32, 64)),
    )
    del body["UnlockToken"]
    return body | changes


def idle(**changes: Any) -> dict[str, Any]:
    return {"Status": "Idle", "UDID": UDID} | changes


def acknowledged(command_uuid: object, **changes: Any) -> dict[str, Any]:
    return {"Status": "Acknowledged", "UDID": UDID, "CommandUUID": str(command_uuid)} | changes

"""What Apple's push service demands of an MDM push, and the answers that it can give."""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import dataclass
from typing import Literal

Fault = Literal["", "silence", "cut", "reset", "goaway"]
MAX_PAYLOAD = 4096

# Every reason of "Handling notification responses from APNs" that an MDM push can meet.
STATUS_OF_REASON = {
    "BadCollapseId": 400,
    "BadDeviceToken": 400,
    "BadExpirationDate": 400,
    "BadMessageId": 400,
    "BadPriority": 400,
    "BadTopic": 400,
    "DeviceTokenNotForTopic": 400,
    "DuplicateHeaders": 400,
    "IdleTimeout": 400,
    "InvalidPushType": 400,
    "MissingDeviceToken": 400,
    "MissingTopic": 400,
    "PayloadEmpty": 400,
    "TopicDisallowed": 400,
    "BadCertificate": 403,
    "BadCertificateEnvironment": 403,
    "Forbidden": 403,
    "BadPath": 404,
    "MethodNotAllowed": 405,
    "ExpiredToken": 410,
    "Unregistered": 410,
    "PayloadTooLarge": 413,
    "TooManyRequests": 429,
    "InternalServerError": 500,
    "ServiceUnavailable": 503,
    "Shutdown": 503,
}


@dataclass(frozen=True)
class Answer:
    """One scripted answer.

    `fault` replaces the answer: "silence" never answers, "cut" closes the TCP connection, "reset"
    resets the stream, "goaway" ends the connection without having processed this request.
    `is_dropped` answers 200 and wakes nobody, as when Apple loses a notification.
    """

    status: int = 200
    reason: str = ""
    timestamp_ms: int | None = None
    retry_after: str | None = None
    delay: float = 0
    is_dropped: bool = False
    fault: Fault = ""

    @classmethod
    def of(cls, reason: str, **details: object) -> Answer:
        """Return the answer with `reason` and the status that belongs to it."""
        return cls(STATUS_OF_REASON[reason], reason, **details)  # type: ignore[arg-type]

    @property
    def wakes(self) -> bool:
        return self.status == 200 and not self.fault and not self.is_dropped

    def headers(self, apns_id: str) -> list[tuple[str, str]]:
        fields = [(":status", str(self.status)), ("apns-id", apns_id)]
        if self.retry_after is not None:
            fields.append(("retry-after", self.retry_after))
        return fields

    def body(self) -> bytes:
        if not self.reason:
            return b""
        document: dict[str, object] = {"reason": self.reason}
        if self.timestamp_ms is not None:
            document["timestamp"] = self.timestamp_ms
        return json.dumps(document).encode()


@dataclass(frozen=True)
class Request:
    """One request as it came over HTTP/2."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    has_duplicate_headers: bool = False

    @property
    def token(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def magic(self) -> str:
        try:
            document = json.loads(self.body)
        except ValueError:
            return ""
        value = document.get("mdm") if isinstance(document, dict) else None
        return value if isinstance(value, str) else ""

    @property
    def apns_id(self) -> str:
        return self.headers.get("apns-id") or str(uuid.uuid4()).upper()


def judge(request: Request, certificate_topic: str) -> Answer | None:
    """Return Apple's refusal of a request that breaks a rule, else None."""
    reason = _path_fault(request) or _header_fault(request, certificate_topic)
    reason = reason or _body_fault(request.body)
    return Answer.of(reason) if reason else None


def _path_fault(request: Request) -> str:
    if request.method != "POST":
        return "MethodNotAllowed"
    if not request.path.startswith("/3/device/"):
        return "BadPath"
    if not request.token:
        return "MissingDeviceToken"
    # Apple wants lower-case hexadecimal digits of whole bytes.
    return "" if re.fullmatch(r"(?:[0-9a-f]{2}){8,128}", request.token) else "BadDeviceToken"


def _header_fault(request: Request, certificate_topic: str) -> str:
    headers = request.headers
    topic = headers.get("apns-topic", "")
    checks = (
        ("DuplicateHeaders", not request.has_duplicate_headers),
        ("MissingTopic", topic),
        ("BadTopic", topic.startswith("com.apple.mgmt.")),
        ("TopicDisallowed", topic == certificate_topic),
        ("InvalidPushType", headers.get("apns-push-type") == "mdm"),
        ("BadPriority", headers.get("apns-priority", "10") in ("5", "10")),
        # Without an expiration Apple does not store the notification for a device that sleeps.
        ("BadExpirationDate", re.fullmatch(r"\d{1,10}", headers.get("apns-expiration", ""))),
        ("BadMessageId", _is_uuid(headers.get("apns-id"))),
        ("BadCollapseId", len(headers.get("apns-collapse-id", "")) <= 64),
    )
    return next((reason for reason, holds in checks if not holds), "")


def _body_fault(body: bytes) -> str:
    if len(body) > MAX_PAYLOAD:
        return "PayloadTooLarge"
    try:
        document = json.loads(body)
    except ValueError:
        return "PayloadEmpty"
    is_mdm = isinstance(document, dict) and list(document) == ["mdm"]
    return "" if is_mdm and isinstance(document["mdm"], str) and document["mdm"] else "PayloadEmpty"


def _is_uuid(value: str | None) -> bool:
    if value is None:
        return True
    try:
        return bool(uuid.UUID(value))
    except ValueError:
        return False

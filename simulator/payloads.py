"""The payloads of an enrollment profile, checked the way a device does before installing."""

from __future__ import annotations

import ipaddress
import urllib.parse
from dataclasses import dataclass, field
from typing import Any

from cryptography import x509

from .errors import ProfileRejected

SCEP, MDM = "com.apple.security.scep", "com.apple.mdm"
ROOTS = ("com.apple.security.root", "com.apple.security.pkcs1")
PER_USER = "com.apple.mdm.per-user-connections"
BOOTSTRAP = "com.apple.mdm.bootstraptoken"


def need(condition: object, message: str) -> None:
    """Reject the profile unless `condition` holds."""
    if not condition:
        raise ProfileRejected(message)


def require(payload: dict[str, Any], key: str, kind: type | tuple[type, ...]) -> Any:
    value = payload.get(key)
    name = payload.get("PayloadType", "payload")
    need(key in payload, f"{name}: {key} is missing")
    need(isinstance(value, kind) and not (kind is int and isinstance(value, bool)),
         f"{name}: {key} has the wrong type")  # fmt: skip
    return value


def check_url(url: str, what: str, *, http_allowed: bool = False) -> None:
    """https with a host; plain http only on loopback, or where Apple's clients allow it."""
    parts = urllib.parse.urlsplit(url)
    need(parts.hostname, f"{what} is not a URL")
    if parts.scheme != "https":
        need(parts.scheme == "http", f"{what} is not https")
        need(http_allowed or is_loopback(parts.hostname or ""), f"{what} is not https")


def is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True)
class ScepPayload:
    uuid: str
    url: str
    name: str
    subject: list[list[list[str]]]
    challenge: str
    key_size: int
    fingerprint: bytes | None
    retries: int

    @classmethod
    def read(cls, payload: dict[str, Any]) -> ScepPayload:
        content = require(payload, "PayloadContent", dict)
        url = require(content, "URL", str)
        check_url(url, "SCEP URL", http_allowed=True)
        fingerprint = content.get("CAFingerprint")
        if urllib.parse.urlsplit(url).scheme == "http":
            need(fingerprint, "SCEP over http needs a CAFingerprint")
        need(fingerprint is None or len(fingerprint) in (20, 32), "CAFingerprint has a wrong size")
        key_size = content.get("Keysize", 1024)
        need(key_size in (1024, 2048, 4096), "Keysize is not allowed")
        need(content.get("Key Type", "RSA") == "RSA", "Key Type is not RSA")
        need(content.get("Key Usage", 0) in (0, 1, 4, 5), "Key Usage is not allowed")
        return cls(
            uuid=payload["PayloadUUID"],
            url=url,
            name=content.get("Name", ""),
            subject=_read_subject(content.get("Subject", [])),
            challenge=content.get("Challenge", ""),
            key_size=key_size,
            fingerprint=fingerprint,
            retries=content.get("Retries", 3),
        )


def _read_subject(subject: Any) -> list[list[list[str]]]:
    need(isinstance(subject, list), "Subject is not an array")
    for group in subject:
        need(isinstance(group, list) and group, "Subject is not an array of arrays")
        for pair in group:
            need(
                isinstance(pair, list) and len(pair) == 2 and all(isinstance(v, str) for v in pair),
                "Subject holds something else than OID and value",
            )
    return list(subject)


@dataclass(frozen=True)
class MdmPayload:
    uuid: str
    identity_uuid: str
    topic: str
    server_url: str
    check_in_url: str
    access_rights: int
    sign_message: bool
    checks_out: bool
    capabilities: tuple[str, ...] = field(default=())

    @classmethod
    def read(cls, payload: dict[str, Any]) -> MdmPayload:
        topic = require(payload, "Topic", str)
        need(topic.startswith("com.apple.mgmt."), "Topic is not a management topic")
        server_url = require(payload, "ServerURL", str)
        check_in_url = payload.get("CheckInURL", server_url)
        check_url(server_url, "ServerURL")
        check_url(check_in_url, "CheckInURL")
        rights = require(payload, "AccessRights", int)
        need(0 < rights <= 8191, "AccessRights is out of range")
        need(not rights & 2 or rights & 1, "AccessRights: 2 needs 1")
        need(not rights & 128 or rights & 64, "AccessRights: 128 needs 64")
        need(payload.get("SignMessage", False) is True, "neither SignMessage nor a TLS identity")
        capabilities = payload.get("ServerCapabilities", [])
        need(isinstance(capabilities, list), "ServerCapabilities is not an array")
        return cls(
            uuid=payload["PayloadUUID"],
            identity_uuid=require(payload, "IdentityCertificateUUID", str),
            topic=topic,
            server_url=server_url,
            check_in_url=check_in_url,
            access_rights=rights,
            sign_message=True,
            checks_out=payload.get("CheckOutWhenRemoved", False) is True,
            capabilities=tuple(capabilities),
        )


def read_root(payload: dict[str, Any]) -> x509.Certificate:
    """A certificate payload: DER, or PEM as some tools write it."""
    data = require(payload, "PayloadContent", bytes)
    try:
        if data.startswith(b"-----BEGIN"):
            return x509.load_pem_x509_certificate(data)
        return x509.load_der_x509_certificate(data)
    except ValueError as error:
        raise ProfileRejected("a certificate payload cannot be read") from error

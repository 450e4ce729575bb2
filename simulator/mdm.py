"""The MDM client of a device: check-in and command channel, signed as real devices sign."""

from __future__ import annotations

import base64
import json
import plistlib
from dataclasses import dataclass, field
from typing import Any
from xml.parsers.expat import ExpatError

import httpx2
from cryptography.hazmat.primitives import serialization

from . import cms
from .cms import Identity
from .errors import ServerRefused, Unenrolled
from .wire import IMPATIENT, Patience

CHECK_IN_TYPE = "application/x-apple-aspen-mdm-checkin"
COMMAND_TYPE = "application/x-apple-aspen-mdm; charset=UTF-8"
UNRECOGNIZED = "com.apple.unrecognized.device"


@dataclass
class MdmClient:
    """Signs and sends one device's messages; `style` is ber (real devices), der, header or none.

    `oddities` collects what a device would shrug off but a server should not do.
    """

    http: httpx2.Client
    check_in_url: str
    server_url: str
    identity: Identity
    style: str = "ber"
    user_agent: str = "MDM/1.0"
    patience: Patience = IMPATIENT
    oddities: list[str] = field(default_factory=list)

    def check_in(self, message: dict[str, Any], *, once: bool = False) -> dict[str, Any]:
        """Send a check-in message and return the reply plist ({} when the body is empty)."""
        body = plistlib.dumps(message)
        response = self._put(self.check_in_url, body, CHECK_IN_TYPE, once=once)
        return self._read(response)

    def connect(self, message: dict[str, Any], *, once: bool = False) -> dict[str, Any] | None:
        """Send a result or Idle; returns the next command, or None for "nothing more"."""
        response = self._put(self.server_url, plistlib.dumps(message), COMMAND_TYPE, once=once)
        if not response.content:
            return None
        command = self._read(response)
        if not isinstance(command.get("CommandUUID"), str) or not isinstance(
            command.get("Command", {}).get("RequestType"), str
        ):
            raise ServerRefused(response.status_code, response.content)
        return command

    def headers(self, body: bytes, content_type: str) -> dict[str, str]:
        """The headers of a request with this body, proof of identity included."""
        headers = {"Content-Type": content_type, "User-Agent": self.user_agent}
        if self.style == "ber":
            signature = cms.sign_detached_ber(body, self.identity)
            headers["Mdm-Signature"] = base64.b64encode(signature).decode()
        elif self.style == "der":
            signature = cms.sign(body, self.identity, attributes={}, detached=True)
            headers["Mdm-Signature"] = base64.b64encode(signature).decode()
        elif self.style == "header":
            # RFC 9440, as a TLS-terminating proxy hands the client certificate on
            der = self.identity.certificate.public_bytes(serialization.Encoding.DER)
            headers["Client-Cert"] = f":{base64.b64encode(der).decode()}:"
        return headers

    def _put(self, url: str, body: bytes, content_type: str, *, once: bool) -> httpx2.Response:
        headers = self.headers(body, content_type)
        patience = IMPATIENT if once else self.patience
        response = patience.send(lambda: self.http.put(url, content=body, headers=headers))
        self._judge(response)
        return response

    def _judge(self, response: httpx2.Response) -> None:
        status = response.status_code
        if "set-cookie" in response.headers:
            self.oddities.append(f"{response.url}: sets a cookie")
        if "content-length" not in response.headers:
            self.oddities.append(f"{response.url}: does not say how long its answer is")
        if 300 <= status < 400:
            self.oddities.append(f"{response.url}: redirects a device")
        if status == 401 or (status == 403 and _is_unrecognized(response)):
            raise Unenrolled(status)
        if not 200 <= status < 300:
            raise ServerRefused(status, response.content)

    def _read(self, response: httpx2.Response) -> dict[str, Any]:
        if not response.content:
            return {}
        try:
            reply = plistlib.loads(response.content, fmt=plistlib.FMT_XML)
        except (plistlib.InvalidFileException, ExpatError, ValueError) as error:
            raise ServerRefused(response.status_code, response.content) from error
        if not isinstance(reply, dict) or not reply:
            raise ServerRefused(response.status_code, response.content)
        return reply


def _is_unrecognized(response: httpx2.Response) -> bool:
    kind = response.headers.get("content-type", "").split(";")[0].strip()
    try:
        if kind == "application/json":
            return bool(json.loads(response.content).get("code") == UNRECOGNIZED)
        if kind in ("application/xml", "text/xml"):
            body = plistlib.loads(response.content, fmt=plistlib.FMT_XML)
            return bool(body.get("code") == UNRECOGNIZED)
    except (ValueError, AttributeError, ExpatError, plistlib.InvalidFileException):
        return False
    return False

"""An organisation's own phone app: signs its person in, registers the phone, follows, cancels."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx2

from . import profile as profiles
from .devices import Device
from .errors import SimulatorError
from .profile import EnrollmentProfile
from .wire import IMPATIENT, Patience

Answer = dict[str, Any]
MANAGED_STATES = frozenset({"active"})


class ClientRefused(SimulatorError):
    """The server refused a call; `code` is for programs, `message` is what the app shows."""

    def __init__(self, status: int, code: str, message: str, retry_after: str = "") -> None:
        super().__init__(f"refused with {status} {code}: {message}")
        self.status, self.code, self.message = status, code, message
        self.retry_after = retry_after


@dataclass
class ClientApp:
    """One installation on one phone. `claims` is what it says of the phone, true or not.

    `ask` is how the person answers a question that the app shows.
    """

    url: str
    http: httpx2.Client
    claims: dict[str, str]
    language: str = "en"
    patience: Patience = IMPATIENT
    ask: Callable[[str], bool] = lambda _question: True
    token: str = ""
    enrollment: Answer = field(default_factory=dict)

    @classmethod
    def on(cls, device: Device, url: str, **options: Any) -> ClientApp:
        """Install the app on a simulated phone, and let it tell the truth."""
        facts = device.facts
        claims = {
            "platform": device.kind.lower(),
            "model": facts.product_name,
            "os_version": facts.os_version,
            "app_version": "1.0",
        }
        return cls(url, device.http, claims, patience=device.patience, **options)

    # Signing in

    def sign_in(self, email: str, secret: str) -> Answer:
        """With the password, or with the PIN from the mail. Raises ClientRefused."""
        body = {"email": email, "secret": secret, "device": self.claims}
        return self._keep_token(self._call("POST", "sign-in", body))

    def scan(self, code: str) -> Answer:
        """Redeem what the camera read. Raises ClientRefused."""
        body = {"code": code, "device": self.claims}
        return self._keep_token(self._call("POST", "redeem-qr", body))

    def sign_out(self) -> None:
        self._call("DELETE", "installation")
        self.token, self.enrollment = "", {}

    def tell(self, **facts: str) -> Answer:
        """Tell what changed about the phone."""
        self.claims |= facts
        return self._call("PATCH", "installation", {"device": facts})

    def register_push(self, kind: str, token: str) -> Answer:
        """Tell where the app takes pushes: kind "apns" or "fcm"."""
        return self._call("PATCH", "installation", {"push": {"kind": kind, "token": token}})

    # Registering

    def begin(self) -> Answer:
        """Begin, or go on with what is under way."""
        return self._keep(self._call("POST", "enrollments"))

    def status(self) -> Answer:
        return self._keep(self._call("GET", self._path()))

    def prove(self, kind: str, secret: str) -> Answer:
        return self._keep(self._call("POST", self._path("proof"), {"kind": kind, "secret": secret}))

    def choose_password(self, password: str) -> Answer:
        return self._keep(self._call("POST", self._path("password"), {"password": password}))

    def accept_terms(self) -> Answer:
        """Accept the terms that the enrollment asks for. Raises ClientRefused."""
        asked = self.enrollment.get("terms")
        if not asked:
            raise SimulatorError("the enrollment asks for no terms")
        return self._keep(self._call("POST", self._path("terms"), {"terms": asked["id"]}))

    def get_profile(self) -> bytes:
        """Have a profile made and fetch it as the phone's browser does, without the token."""
        self._keep(self._call("POST", self._path("profile")))
        return self.download()

    def download(self) -> bytes:
        """Fetch the profile of the enrollment again: the same bytes as long as it lives."""
        offered = self.enrollment.get("profile")
        if not offered:
            raise SimulatorError("the enrollment offers no profile")
        response = self.patience.send(lambda: self.http.get(offered["url"]))
        if response.status_code != 200:
            raise ClientRefused(response.status_code, "download", response.text[:200])
        if response.headers["content-type"].partition(";")[0] != profiles.CONTENT_TYPE:
            raise SimulatorError("the download is no profile")
        if hashlib.sha256(response.content).hexdigest() != offered["sha256"]:
            raise SimulatorError("the profile is not the one that was announced")
        return response.content

    def cancel(self) -> Answer:
        """The person taps Cancel while the profile is being installed."""
        return self._keep(self._call("POST", self._path("cancel")))

    def resume(self) -> Answer:
        """Go on with the profile that was downloaded before. Raises ClientRefused too late."""
        return self._keep(self._call("POST", self._path("resume")))

    def re_enroll(self) -> Answer:
        """Settings, Troubleshoot, Re-enroll: shows the server's question, goes on after a yes."""
        try:
            return self._keep(self._call("POST", "re-enroll", {}))
        except ClientRefused as refusal:
            if refusal.code != "confirmation_missing" or not self.ask(refusal.message):
                raise
        return self._keep(self._call("POST", "re-enroll", {"confirmed": True}))

    def enroll(self, device: Device) -> EnrollmentProfile:
        """Sign-in done: from the first call to a managed device that the server confirms."""
        self.begin()
        if self.enrollment["needs"] == "terms" and self.ask(self.enrollment["terms"]["text"]):
            self.accept_terms()
        installed = device.install(self.get_profile())
        if self.status()["state"] not in MANAGED_STATES:
            raise SimulatorError(f"the server says {self.enrollment['state']}")
        return installed

    # The wire

    def _path(self, verb: str = "") -> str:
        if not self.enrollment:
            raise SimulatorError("nothing has begun")
        path = f"enrollments/{self.enrollment['id']}"
        return f"{path}/{verb}" if verb else path

    def _keep(self, answer: Answer) -> Answer:
        self.enrollment = answer
        return answer

    def _keep_token(self, answer: Answer) -> Answer:
        self.token, self.enrollment = answer["token"], {}
        return answer

    def _call(self, method: str, path: str, body: Answer | None = None) -> Answer:
        headers = {"Accept": "application/json", "Accept-Language": self.language}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        url = f"{self.url.rstrip('/')}/client/v1/{path}/"
        response = self.patience.send(
            lambda: self.http.request(method, url, json=body, headers=headers)
        )
        if "set-cookie" in response.headers:
            raise SimulatorError(f"{url} set a cookie")
        answer = response.json() if response.content else {}
        if response.status_code >= 400:
            error = answer.get("error", {})
            after = response.headers.get("retry-after", "")
            raise ClientRefused(
                response.status_code, error.get("code", ""), error.get("message", ""), after
            )
        return dict(answer)

"""A person with a device: reads the mail, follows the link, types the PIN, installs the profile."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from . import profile as profiles
from . import registration
from .browser import Browser
from .devices import Device
from .errors import ProfileRejected
from .mailbox import Invitation
from .profile import EnrollmentProfile


@dataclass
class Person:
    """Somebody who was invited; `password` is set during the first registration."""

    email: str = ""
    password: str = field(default_factory=lambda: f"{secrets.token_urlsafe(12)}-aB3")
    language: str = "en"

    def browser_on(self, device: Device) -> Browser:
        return Browser(
            device.http, kind=device.kind, language=self.language, patience=device.patience
        )

    def fetch_profile(
        self, device: Device, link: str, *, pin: str | None = None, browser: Browser | None = None
    ) -> tuple[Browser, bytes]:
        """Register in the browser and download the profile, without installing it."""
        browser = browser or self.browser_on(device)
        registration.register(browser, link, pin=pin, password=self.password, email=self.email)
        download = browser.download()
        if download.content_type != profiles.CONTENT_TYPE:
            raise ProfileRejected(f"the download is {download.content_type!r}")
        return browser, download.content

    def enroll(
        self, device: Device, link: str, *, pin: str | None = None, browser: Browser | None = None
    ) -> EnrollmentProfile:
        """Link to managed device, as fast as a person could wish."""
        _, data = self.fetch_profile(device, link, pin=pin, browser=browser)
        return device.install(data)

    def accept(self, device: Device, invitation: Invitation) -> EnrollmentProfile:
        """Do what the mail says."""
        return self.enroll(device, invitation.link, pin=invitation.pin)

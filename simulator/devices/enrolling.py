"""How a device becomes managed and stays so: install, SCEP, Authenticate, TokenUpdate, renewal."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import httpx2
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from .. import profile as profiles
from ..behaviours import Script
from ..cms import Identity
from ..errors import ProfileRejected, SimulatorError
from ..ledger import Ledger
from ..mdm import MdmClient
from ..profile import EnrollmentProfile, Profile
from ..scep_client import ScepClient, ScepOptions, subject_from_payload
from ..wire import IMPATIENT, Patience
from .channel import Channel
from .facts import Facts


def new_key(bits: int) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


class Enrolling:
    """A device that can be enrolled; all it does goes over HTTP and is noted in the ledger.

    `patience` is how long it repeats requests to a server that is down; `style` how it signs.
    """

    scep_agent: ClassVar[str] = ""
    mdm_agent: ClassVar[str] = "MDM/1.0"
    needs_system_scope: ClassVar[bool] = False

    def __init__(
        self,
        facts: Facts,
        http: httpx2.Client,
        *,
        ledger: Ledger | None = None,
        script: Script | None = None,
        style: str = "ber",
        patience: Patience = IMPATIENT,
        trusted_roots: Iterable[x509.Certificate] = (),
        new_key: Callable[[int], rsa.RSAPrivateKey] = new_key,
    ) -> None:
        self.facts = facts
        self.http = http
        self.ledger = ledger or Ledger()
        self.script = script or Script()
        self.style = style
        self.patience = patience
        self.trusted_roots = tuple(trusted_roots)
        self.new_key = new_key
        self.scep_options = ScepOptions()
        self.oddities: list[str] = []
        self.forget()

    def forget(self) -> None:
        """Everything that management put on the device is gone."""
        self.enrollment: EnrollmentProfile | None = None
        self.channels: list[Channel] = []
        self.profiles: dict[str, Profile] = {}
        self.is_erased = False
        self._client: MdmClient | None = None

    @property
    def udid(self) -> str:
        return self.facts.udid

    @property
    def is_managed(self) -> bool:
        return self.enrollment is not None

    @property
    def client(self) -> MdmClient:
        if self._client is None:
            raise SimulatorError(f"{self.udid} is not managed")
        return self._client

    @property
    def managed_by(self) -> EnrollmentProfile:
        if self.enrollment is None:
            raise SimulatorError(f"{self.udid} is not managed")
        return self.enrollment

    @property
    def device_channel(self) -> Channel:
        return self.channels[0]

    def install(self, data: bytes, *, stop_before: str = "") -> EnrollmentProfile:
        """Install a downloaded enrollment profile the way a person does in Settings.

        `stop_before` "authenticate" or "token_update" leaves the enrollment unfinished. Any failure
        rolls everything back and is raised.
        """
        if self.is_managed:
            raise ProfileRejected("this device is already managed")
        profile = profiles.read_enrollment(
            data, trusted_roots=self.trusted_roots, system_scope=self.needs_system_scope
        )
        self.is_erased = False
        try:
            identity = self.obtain_identity(profile)
            if stop_before == "authenticate":
                return profile
            self.channels = [Channel()]
            self.manage_with(profile, identity)
            self.authenticate()
            if stop_before != "token_update":
                self.token_update(self.device_channel, first=True)
                self.after_enrollment()
                self.ledger.step(self.udid, "enrolled", profile.identifier)
        except (SimulatorError, httpx2.HTTPError):
            self.forget()
            raise
        return profile

    def obtain_identity(
        self, profile: EnrollmentProfile, key: rsa.RSAPrivateKey | None = None
    ) -> Identity:
        """Run the profile's SCEP payload; a given `key` makes it a retry or a misbehaviour."""
        identity = self.scep(profile).enroll(
            key or self.new_key(profile.scep.key_size),
            subject_from_payload(profile.scep.subject),
            profile.scep.challenge or None,
        )
        self.ledger.step(
            self.udid, "identity_issued", format(identity.certificate.serial_number, "x")
        )
        return identity

    def scep(self, profile: EnrollmentProfile) -> ScepClient:
        return ScepClient(
            profile.scep.url,
            self.http,
            name=profile.scep.name,
            fingerprint=profile.scep.fingerprint,
            user_agent=self.scep_agent,
            patience=self.patience,
            options=self.scep_options,
        )

    def manage_with(self, profile: EnrollmentProfile, identity: Identity) -> None:
        """From now on speak as this identity to the server of this profile."""
        self.enrollment = profile
        self.profiles[profile.identifier] = profile
        self._client = MdmClient(
            self.http,
            profile.mdm.check_in_url,
            profile.mdm.server_url,
            identity,
            style=self.style,
            user_agent=self.mdm_agent,
            patience=self.patience,
            oddities=self.oddities,
        )

    def authenticate(self) -> None:
        self.client.check_in({"MessageType": "Authenticate", **self._who(), **self.hardware_keys()})
        self.ledger.step(self.udid, "authenticated")

    def token_update(self, channel: Channel, *, first: bool = False) -> None:
        message = {
            "MessageType": "TokenUpdate",
            **self._who(),
            **channel.keys(),
            "Token": channel.token,
            "PushMagic": channel.magic,
            **self.token_keys(channel, first),
        }
        self.client.check_in(message)
        self.ledger.step(self.udid, "token_updated", channel.name)

    def _who(self) -> dict[str, Any]:
        return {"Topic": self.managed_by.mdm.topic, "UDID": self.udid}

    def hardware_keys(self) -> dict[str, Any]:
        """Authenticate's keys beyond the envelope."""
        return {
            "OSVersion": self.facts.os_version,
            "BuildVersion": self.facts.build,
            "ProductName": self.facts.product_name,
            "SerialNumber": self.facts.serial,
        }

    def token_keys(self, channel: Channel, first: bool) -> dict[str, Any]:
        return {}

    def after_enrollment(self) -> None:
        """What the platform does by itself after the first TokenUpdate."""

    def install_profile(self, data: bytes) -> None:
        """The InstallProfile command: any profile, or an update of the enrollment profile."""
        signers: tuple[x509.Certificate, ...] = ()
        xml = data
        if not data.lstrip().startswith(b"<"):
            xml, signers, _ = profiles.open_signed(data, self.trusted_roots)
        top = profiles.parse(xml)
        if profiles.has_mdm(top):
            self._replace_enrollment(profiles.from_plist(top, signers=signers))
        else:
            installed = Profile(top["PayloadIdentifier"], top["PayloadUUID"], top, signers)
            self.profiles[installed.identifier] = installed

    def _replace_enrollment(self, new: EnrollmentProfile) -> None:
        old, old_identity = self.managed_by, self.client.identity
        profiles.check_replacement(old, new)
        try:
            self.manage_with(new, self.obtain_identity(new))
            self.authenticate()
            self.token_update(self.device_channel)
        except SimulatorError:
            self.manage_with(old, old_identity)
            raise
        self.ledger.step(self.udid, "enrollment_replaced", new.uuid)

    def renew_identity(self, *, as_pkcs_req: bool = True) -> Identity:
        """Renew by SCEP with the old identity, without any check-in, as macOS does near expiry."""
        profile = self.managed_by
        identity = self.scep(profile).renew(
            self.client.identity,
            self.new_key(profile.scep.key_size),
            subject_from_payload(profile.scep.subject),
            as_pkcs_req=as_pkcs_req,
        )
        self.manage_with(profile, identity)
        self.ledger.step(self.udid, "identity_renewed")
        return identity

    def rotate_tokens(self) -> None:
        """New push tokens on every channel, reported: also what a restored backup does."""
        for channel in self.channels:
            channel.renew_token()
            self.token_update(channel)

    restore_from_backup = rotate_tokens

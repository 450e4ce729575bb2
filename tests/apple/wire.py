"""A device on the wire, as small as can be: a certificate, a UDID, signed messages."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import uuid
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from apple.protocol import plist
from core import clock
from core.models import StoredKey, Tenant
from core.pki import cms
from devices.models import Device, Identity
from enrollment.models import EnrollmentSession, SessionStage
from tests import factories
from tests.apple import messages

CHECKIN, CONNECT = "/mdm/apple/checkin", "/mdm/apple/connect"


@cache
def _key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def make_identity(tenant: Tenant, **fields: Any) -> tuple[Identity, x509.Certificate]:
    """An issued certificate and its row. All test devices share one key: nobody looks at it."""
    now = clock.now()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, str(uuid.uuid4()))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(_key().public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=365))
        .sign(_key(), hashes.SHA256())
    )
    der = certificate.public_bytes(serialization.Encoding.DER)
    issuer = StoredKey.objects.filter(tenant=tenant, purpose="device_ca").first()
    if issuer is None:
        issuer = StoredKey.objects.create(tenant=tenant, purpose="device_ca", sealed_key=b"")
    identity = Identity.objects.create(
        tenant=tenant,
        issuer_key=issuer,
        sha256=hashlib.sha256(der).hexdigest(),
        serial_number=f"{certificate.serial_number:x}",
        certificate=der,
        public_key_sha256="0" * 64,
        not_after=certificate.not_valid_after_utc,
        **fields,
    )
    return identity, certificate


def make_session(tenant: Tenant, user: Any, **fields: Any) -> EnrollmentSession:
    now = clock.now()
    defaults = {
        "platform": "iphone",
        "stage": SessionStage.IDENTITY_ISSUED,
        "authenticated_at": now,
        "expires_at": now + dt.timedelta(hours=24),
    }
    return EnrollmentSession.objects.create(tenant=tenant, user=user, **defaults | fields)


class Phone:
    """Speaks for `udid` with one certificate; both can be changed to misbehave."""

    def __init__(self, client: Any, tenant: Tenant, user: Any, udid: str = messages.UDID) -> None:
        self.client, self.tenant, self.user, self.udid = client, tenant, user, udid
        self.session: EnrollmentSession | None = None
        self.get_profile()

    def get_profile(self) -> None:
        """Go through the registration pages and SCEP again: a new session and certificate."""
        self.session = make_session(self.tenant, self.user)
        self.identity, self.certificate = make_identity(self.tenant, session_id=self.session.pk)

    def renew(self) -> None:
        """Get a certificate that was issued to the holder of the present one."""
        self.identity.refresh_from_db()
        self.identity, self.certificate = make_identity(
            self.tenant,
            device=self.identity.device,
            session_id=self.identity.session_id,
            renewed_from=self.identity,
        )

    def put(self, path: str, body: bytes, **headers: Any) -> Any:
        return self.client.generic(
            "PUT", path, body, content_type="application/x-apple-aspen-mdm", headers=headers
        )

    def send(self, path: str, message: dict[str, Any]) -> Any:
        body = plist.write({"UDID": self.udid} | message)
        signature = cms.sign_detached(body, certificate=self.certificate, key=_key())
        return self.put(path, body, **{"Mdm-Signature": base64.b64encode(signature).decode()})

    def check_in(self, message: dict[str, Any]) -> Any:
        return self.send(CHECKIN, message | {"UDID": self.udid})

    def authenticate(self, **changes: Any) -> Any:
        return self.check_in(messages.authenticate(SerialNumber=f"S{self.udid[-8:]}", **changes))

    def update_token(self, **changes: Any) -> Any:
        defaults = {"Token": hashlib.sha256(self.udid.encode()).digest()}
        return self.check_in(messages.token_update(**defaults | changes))

    def enroll(self) -> Phone:
        assert self.authenticate().status_code == 200
        assert self.update_token().status_code == 200
        return self

    def say(self, status: str, command_uuid: str = "", **result: Any) -> dict[str, Any] | None:
        """Send a word on the command channel; return the next command, None for nothing."""
        message = {"Status": status, **result}
        if command_uuid:
            message["CommandUUID"] = command_uuid
        answer = self.send(CONNECT, message)
        assert answer.status_code == 200, answer.status_code
        return plist.read(answer.content, limit=10_000_000) if answer.content else None

    def drain(self, result: dict[str, Any] | None = None) -> list[str]:
        """Acknowledge everything that is queued; return the request types in order."""
        seen, command = [], self.say("Idle")
        while command is not None:
            seen.append(command["Command"]["RequestType"])
            command = self.say("Acknowledged", command["CommandUUID"], **(result or {}))
        return seen

    @property
    def device(self) -> Device:
        """The entry that the certificate is bound to, as it is now."""
        return Device.objects.get(identities=self.identity)


class Mac(Phone):
    def __init__(
        self, client: Any, tenant: Tenant, user: Any, udid: str = messages.MAC_UDID
    ) -> None:
        super().__init__(client, tenant, user, udid)

    def authenticate(self, **changes: Any) -> Any:
        return self.check_in(messages.authenticate_mac(**changes))

    def update_token(self, **changes: Any) -> Any:
        message = messages.token_update(Token=hashlib.sha256(self.udid.encode()).digest())
        del message["UnlockToken"]
        return self.check_in(message | changes)

    def update_user_token(self, **changes: Any) -> Any:
        return self.check_in(messages.user_token_update(**changes))


def history_of(obj: Any) -> list[str]:
    """The actions in the history of a row, oldest first."""
    from core.models import HistoryEntry

    entries = HistoryEntry.objects.about(obj).order_by("id")
    return list(entries.values_list("action", flat=True))


def other_phone(client: Any, tenant: Tenant, number: int = 2) -> Phone:
    """Another person's phone."""
    return Phone(client, tenant, factories.user(tenant), udid=f"00008030-{number:016X}")

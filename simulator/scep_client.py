"""The SCEP client of a simulated device (RFC 8894), which can also misbehave on request."""

from __future__ import annotations

import base64
import datetime
import urllib.parse
from dataclasses import dataclass, field

import httpx2
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from . import cms, scep_messages
from .cms import Identity
from .errors import ScepProtocolError
from .wire import IMPATIENT, Patience

OID_BY_SHORT_NAME = {
    "CN": NameOID.COMMON_NAME,
    "O": NameOID.ORGANIZATION_NAME,
    "OU": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "C": NameOID.COUNTRY_NAME,
    "L": NameOID.LOCALITY_NAME,
    "ST": NameOID.STATE_OR_PROVINCE_NAME,
}


@dataclass
class ScepOptions:
    """What a client may do differently; None follows the server's capabilities."""

    cipher: str | None = None
    digest: str | None = None
    use_get: bool = False
    nonce_size: int = 8  # what mdmclient really sends
    content_type: str | None = "application/x-pki-message"


@dataclass
class ScepClient:
    """Talks to one SCEP URL; `fingerprint` (SHA-1 or SHA-256 of the CA) is enforced when given."""

    url: str
    http: httpx2.Client
    name: str = ""
    fingerprint: bytes | None = None
    user_agent: str = "mdmclient"
    patience: Patience = IMPATIENT
    options: ScepOptions = field(default_factory=ScepOptions)

    def capabilities(self) -> frozenset[str]:
        """Keywords of GetCACaps; refuses a CA that lacks what iOS and macOS require."""
        response = self._get("GetCACaps", self.name)
        words = frozenset(line.strip() for line in response.text.splitlines() if line.strip())
        standard = "SCEPStandard" in words
        if not (standard or {"AES", "DES3"} & words):
            raise ScepProtocolError("the CA offers neither AES nor DES3")
        if not (standard or {"SHA-1", "SHA-256", "SHA-512"} & words):
            raise ScepProtocolError("the CA offers no usable digest")
        if "Renewal" not in words:
            raise ScepProtocolError("the CA does not offer Renewal")
        return words

    def authorities(self) -> list[x509.Certificate]:
        """Certificates of GetCACert, the encryption recipient first; checks the fingerprint."""
        response = self._get("GetCACert", self.name)
        kind = response.headers.get("content-type", "").split(";")[0].strip()
        if kind == "application/x-x509-ca-cert":
            found = [x509.load_der_x509_certificate(response.content)]
        elif kind == "application/x-x509-ca-ra-cert":
            found = list(scep_messages.read_certificates(response.content))
        else:
            raise ScepProtocolError(f"GetCACert answered {kind!r}")
        if self.fingerprint is not None and not any(map(self._matches_fingerprint, found)):
            raise ScepProtocolError("the CA does not match the profile's CAFingerprint")
        return sorted(found, key=lambda certificate: not _can_encrypt(certificate))

    def enroll(
        self,
        key: rsa.RSAPrivateKey,
        subject: x509.Name,
        challenge: str | None,
        *,
        transaction_id: str | None = None,
        signing_key: rsa.RSAPrivateKey | None = None,
    ) -> Identity:
        """PKCSReq signed by a throw-away self-signed certificate; returns the new identity.

        A retry with the same key has the same transaction id, as the real client does it.
        """
        signer_key = signing_key or key
        signer = Identity(signer_key, self_signed(signer_key))
        return self._request(
            scep_messages.PKCS_REQ, key, subject, challenge, signer, transaction_id
        )

    def renew(
        self,
        old: Identity,
        key: rsa.RSAPrivateKey,
        subject: x509.Name,
        *,
        as_pkcs_req: bool = False,
        challenge: str | None = None,
    ) -> Identity:
        """Request signed by the old identity; `as_pkcs_req` is how macOS sends it."""
        kind = scep_messages.PKCS_REQ if as_pkcs_req else scep_messages.RENEWAL_REQ
        return self._request(kind, key, subject, challenge, old, None)

    def _request(
        self,
        message_type: str,
        key: rsa.RSAPrivateKey,
        subject: x509.Name,
        challenge: str | None,
        signer: Identity,
        transaction_id: str | None,
    ) -> Identity:
        words = self.capabilities()
        authorities = self.authorities()
        request = scep_messages.build_request(
            scep_messages.build_csr(key, subject, challenge),
            message_type=message_type,
            transaction_id=transaction_id or scep_messages.transaction_id_for(key.public_key()),
            signer=signer,
            recipient=authorities[0],
            cipher=self.options.cipher or _choose_cipher(words),
            digest=self.options.digest or _choose_digest(words),
            nonce_size=self.options.nonce_size,
            challenge=challenge,
        )
        answer = self._send(request.body, words)
        reply = scep_messages.read_reply(answer, request, authorities)
        if reply.certificates is None:
            raise ScepProtocolError("the request is pending, and nobody will approve it")
        return Identity(key, _pick_certificate(reply.certificates, key, authorities))

    def _send(self, body: bytes, words: frozenset[str]) -> bytes:
        by_post = not self.options.use_get and bool({"POSTPKIOperation", "SCEPStandard"} & words)
        if by_post:
            headers = {"User-Agent": self.user_agent}
            if self.options.content_type:
                headers["Content-Type"] = self.options.content_type
            url = f"{self.url}?operation=PKIOperation"
            response = self.patience.send(
                lambda: self.http.post(url, content=body, headers=headers)
            )
        else:
            # macOS leaves + and / unescaped in the query
            message = urllib.parse.quote(base64.b64encode(body), safe="+/=")
            url = f"{self.url}?operation=PKIOperation&message={message}"
            response = self.patience.send(
                lambda: self.http.get(url, headers={"User-Agent": self.user_agent})
            )
        _require_ok(response)
        if response.headers.get("content-type", "").split(";")[0] != "application/x-pki-message":
            raise ScepProtocolError("PKIOperation answered another content type")
        return response.content

    def _get(self, operation: str, message: str) -> httpx2.Response:
        url = f"{self.url}?operation={operation}&message={urllib.parse.quote(message)}"
        response = self.patience.send(
            lambda: self.http.get(url, headers={"User-Agent": self.user_agent})
        )
        _require_ok(response)
        return response

    def _matches_fingerprint(self, certificate: x509.Certificate) -> bool:
        algorithm = "sha1" if len(self.fingerprint or b"") == 20 else "sha256"
        der = certificate.public_bytes(serialization.Encoding.DER)
        return cms.digest(algorithm, der) == self.fingerprint


def _require_ok(response: httpx2.Response) -> None:
    if response.status_code != 200:
        raise ScepProtocolError(f"SCEP answered HTTP {response.status_code}")


def _choose_cipher(words: frozenset[str]) -> str:
    return "aes256" if {"AES", "SCEPStandard"} & words else "3des"


def _choose_digest(words: frozenset[str]) -> str:
    return "sha256" if {"SHA-256", "SCEPStandard"} & words else "sha1"


def _can_encrypt(certificate: x509.Certificate) -> bool:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return True
    return usage.key_encipherment


def _pick_certificate(
    issued: tuple[x509.Certificate, ...],
    key: rsa.RSAPrivateKey,
    authorities: list[x509.Certificate],
) -> x509.Certificate:
    """Some Apple versions take the first certificate, so ours must be the first one."""
    if not issued or issued[0].public_key() != key.public_key():
        raise ScepProtocolError("the first certificate of the reply is not ours")
    for authority in authorities:
        if authority.subject == issued[0].issuer:
            try:
                issued[0].verify_directly_issued_by(authority)
            except (ValueError, TypeError, InvalidSignature) as error:
                raise ScepProtocolError("the CA did not sign the certificate") from error
            return issued[0]
    raise ScepProtocolError("the certificate was issued by someone else")


def subject_from_payload(subject: list[list[list[str]]]) -> x509.Name:
    """The payload's Subject ([[["O", "x"]], [["CN", "y"]]]) as a name."""
    return x509.Name(
        [
            x509.RelativeDistinguishedName(
                [
                    x509.NameAttribute(
                        OID_BY_SHORT_NAME.get(kind) or x509.ObjectIdentifier(kind), value
                    )
                    for kind, value in group
                ]
            )
            for group in subject
        ]
    )


def self_signed(key: rsa.RSAPrivateKey) -> x509.Certificate:
    """The throw-away signer of a first request, as macOS names it."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "MDM SCEP SIGNER")])
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )

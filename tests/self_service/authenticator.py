"""A security key in software: makes passkeys and signs challenges, honestly or not."""

from __future__ import annotations

import hashlib
import secrets
from typing import Any

from allauth.account.utils import user_pk_to_url_str
from allauth.mfa.models import Authenticator
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2.cose import ES256
from fido2.utils import websafe_decode, websafe_encode
from fido2.webauthn import (
    AttestationObject,
    AttestedCredentialData,
    AuthenticatorData,
    CollectedClientData,
)

FLAG = AuthenticatorData.FLAG
ORIGIN = "https://testserver"


class SecurityKey:
    """One passkey of one website; `verifies` says whether it checks who holds it."""

    def __init__(self, *, rp: str = "testserver", origin: str = ORIGIN, verifies: bool = True):
        self.rp, self.origin = hashlib.sha256(rp.encode()).digest(), origin
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.id = secrets.token_bytes(16)
        self.handle = b""
        self.flags = FLAG.UP | FLAG.UV if verifies else FLAG.UP
        self.count = 0

    def create(self, options: dict[str, Any]) -> dict[str, Any]:
        asked = options["publicKey"]
        self.handle = websafe_decode(asked["user"]["id"])
        attested = AttestedCredentialData.create(
            b"\0" * 16, self.id, ES256.from_cryptography_key(self.key.public_key())
        )
        data = AuthenticatorData.create(self.rp, self.flags | FLAG.AT, 0, attested)
        told = {"attestationObject": bytes(AttestationObject.create("none", data, {}))}
        return self._answer("webauthn.create", asked["challenge"], told)

    def get(self, options: dict[str, Any]) -> dict[str, Any]:
        challenge = options["publicKey"]["challenge"]
        self.count += 1
        data = AuthenticatorData.create(self.rp, self.flags, self.count)
        client = CollectedClientData.create("webauthn.get", challenge, self.origin)
        signature = self.key.sign(data + client.hash, ec.ECDSA(hashes.SHA256()))
        told = {"authenticatorData": data, "signature": signature, "userHandle": self.handle}
        return self._answer("webauthn.get", challenge, told)

    def _answer(self, kind: str, challenge: str, told: dict[str, bytes]) -> dict[str, Any]:
        client = CollectedClientData.create(kind, challenge, self.origin)
        response = {name: websafe_encode(value) for name, value in told.items()}
        return {
            "id": websafe_encode(self.id),
            "rawId": websafe_encode(self.id),
            "type": "public-key",
            "response": response | {"clientDataJSON": websafe_encode(client)},
            "clientExtensionResults": {"credProps": {"rk": True}},
        }


def passkey(user, name: str = "My phone", key: SecurityKey | None = None) -> Authenticator:
    """A passkey of a person, as the page would have stored it."""
    key = key or SecurityKey()
    handle = websafe_encode(user_pk_to_url_str(user).encode())
    told = key.create({"publicKey": {"user": {"id": handle}, "challenge": "AAAA"}})
    return Authenticator.objects.create(
        user=user, type=Authenticator.Type.WEBAUTHN, data={"name": name, "credential": told}
    )

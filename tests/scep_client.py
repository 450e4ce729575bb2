"""A SCEP client for tests, built on asn1crypto: it shares no code with the server's SCEP.

Its knobs are the quirks of real clients, and the lies of hostile ones.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from typing import Any

from asn1crypto import algos, cms, core
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives import hashes, padding, serialization
from cryptography.hazmat.primitives.asymmetric import padding as rsa_padding
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.x509.oid import AttributeOID, NameOID

from tests.pki_material import der_of, rsa_key, self_signed

PKCS_REQ, RENEWAL_REQ = "19", "17"
VERISIGN = "2.16.840.1.113733.1.9"
HASHES = {"sha1": hashes.SHA1, "sha256": hashes.SHA256, "sha512": hashes.SHA512}
CIPHERS = {
    "aes128": ("2.16.840.1.101.3.4.1.2", 16, 16, AES),
    "aes256": ("2.16.840.1.101.3.4.1.42", 32, 16, AES),
    "3des": ("1.2.840.113549.3.7", 24, 8, TripleDES),
    # What micromdm's client sends by default.
    "des": ("1.3.14.3.2.7", 8, 8, lambda key: TripleDES(key * 3)),
}


def csr(
    key,
    challenge: str | None = "",
    *,
    subject: str = "whoever",
    extensions=(),
    digest: str = "sha256",
) -> bytes:
    builder = x509.CertificateSigningRequestBuilder().subject_name(
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
    )
    if challenge is not None:
        builder = builder.add_attribute(AttributeOID.CHALLENGE_PASSWORD, challenge.encode())
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    request = builder.sign(key, hashes.SHA256())
    return request.public_bytes(serialization.Encoding.DER)


def envelope(content: bytes, recipient: x509.Certificate, *, cipher: str = "aes128") -> bytes:
    oid, key_size, block, algorithm = CIPHERS[cipher]
    key, iv = os.urandom(key_size), os.urandom(block)
    padder = padding.PKCS7(block * 8).padder()
    encryptor = Cipher(algorithm(key), CBC(iv)).encryptor()
    encrypted = encryptor.update(padder.update(content) + padder.finalize()) + encryptor.finalize()
    content_info = cms.EncryptedContentInfo(
        {
            "content_type": "data",
            "content_encryption_algorithm": {
                "algorithm": cms.EncryptionAlgorithmId(oid),
                "parameters": core.OctetString(iv),
            },
            "encrypted_content": encrypted,
        }
    )
    key_info = {
        "version": "v0",
        "rid": _identifier(cms.RecipientIdentifier, recipient),
        "key_encryption_algorithm": {"algorithm": "rsaes_pkcs1v15"},
        "encrypted_key": recipient.public_key().encrypt(key, rsa_padding.PKCS1v15()),
    }
    enveloped = {
        "version": "v0",
        "recipient_infos": [cms.RecipientInfo(name="ktri", value=key_info)],
        "encrypted_content_info": content_info,
    }
    info = {"content_type": "enveloped_data", "content": cms.EnvelopedData(enveloped)}
    return cms.ContentInfo(info).dump()


@dataclass
class Client:
    """One client with one key. Change its fields, then call `request`."""

    ca: x509.Certificate
    key: Any = field(default_factory=lambda: rsa_key("scep client"))
    signer_key: Any = None
    signer: x509.Certificate | None = None
    transaction_id: str | None = ""
    nonce: bytes | None = b"n" * 16
    message_type: str = PKCS_REQ
    cipher: str = "aes128"
    digest: str = "sha256"
    challenge: str | None = "secret"
    extra_attributes: tuple = ()
    csr_options: dict = field(default_factory=dict)
    payload: bytes | None = None

    def __post_init__(self) -> None:
        self.signer_key = self.signer_key or self.key
        self.signer = self.signer or self_signed(self.signer_key, "MDM SCEP SIGNER")
        if self.transaction_id == "":
            spki = self.key.public_key().public_bytes(
                serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
            )
            self.transaction_id = hashlib.sha256(spki).hexdigest()

    def request(self) -> bytes:
        payload = self.payload
        if payload is None:
            payload = csr(self.key, self.challenge, **self.csr_options)
        return self.sign(envelope(payload, self.ca, cipher=self.cipher))

    def sign(self, content: bytes) -> bytes:
        algorithm = HASHES[self.digest]()
        digest = hashlib.new(self.digest, content).digest()
        values = [
            ("1.2.840.113549.1.9.3", cms.ContentType("data")),
            ("1.2.840.113549.1.9.4", core.OctetString(digest)),
            (f"{VERISIGN}.2", core.PrintableString(self.message_type)),
            *self.extra_attributes,
        ]
        if self.transaction_id is not None:
            values.append((f"{VERISIGN}.7", core.PrintableString(self.transaction_id)))
        if self.nonce is not None:
            values.append((f"{VERISIGN}.5", core.OctetString(self.nonce)))
        attributes = b"".join(sorted(_attribute(oid, value) for oid, value in values))
        as_set = _tlv(0x31, attributes)
        signature = self.signer_key.sign(as_set, rsa_padding.PKCS1v15(), algorithm)
        signer_info = cms.SignerInfo(
            {
                "version": "v1",
                "sid": _identifier(cms.SignerIdentifier, self.signer),
                "digest_algorithm": {"algorithm": self.digest},
                "signed_attrs": cms.CMSAttributes.load(as_set),
                "signature_algorithm": {"algorithm": f"{self.digest}_rsa"},
                "signature": signature,
            }
        )
        signed = {
            "version": "v1",
            "digest_algorithms": [algos.DigestAlgorithm({"algorithm": self.digest})],
            "encap_content_info": {"content_type": "data", "content": content},
            "certificates": [asn1_x509.Certificate.load(der_of(self.signer))],
            "signer_infos": [signer_info],
        }
        info = {"content_type": "signed_data", "content": cms.SignedData(signed)}
        return cms.ContentInfo(info).dump()

    def read(self, reply: bytes) -> Reply:
        """Verify the reply as a client does, decrypt it and take it apart."""
        signed = cms.ContentInfo.load(reply, strict=True)["content"]
        signer = signed["signer_infos"][0]
        attributes = {one["type"].dotted: one["values"][0] for one in signer["signed_attrs"]}
        as_set = b"\x31" + signer["signed_attrs"].dump()[1:]
        self.ca.public_key().verify(
            signer["signature"].native, as_set, rsa_padding.PKCS1v15(), hashes.SHA256()
        )
        content = signed["encap_content_info"]["content"].native
        digest = attributes["1.2.840.113549.1.9.4"].native
        assert digest == hashlib.sha256(content or b"").digest()
        certificates = []
        if content:
            inner = cms.ContentInfo.load(self.decrypt(content))["content"]
            certificates = [_load(one) for one in inner["certificates"]]
        fail_info = attributes.get(f"{VERISIGN}.4")
        return Reply(
            status=attributes[f"{VERISIGN}.3"].native,
            fail_info=fail_info.native if fail_info else None,
            transaction_id=attributes[f"{VERISIGN}.7"].native,
            recipient_nonce=attributes[f"{VERISIGN}.6"].native,
            sender_nonce=attributes[f"{VERISIGN}.5"].native,
            message_type=attributes[f"{VERISIGN}.2"].native,
            certificates=certificates,
            outer=[_load(one) for one in signed["certificates"]],
            signature_oid=signer["signature_algorithm"]["algorithm"].dotted,
            cipher=self._cipher_of(content) if content else None,
        )

    def decrypt(self, content: bytes) -> bytes:
        enveloped = cms.ContentInfo.load(content)["content"]
        info = enveloped["encrypted_content_info"]
        wrapped = enveloped["recipient_infos"][0].chosen["encrypted_key"].native
        key = self.signer_key.decrypt(wrapped, rsa_padding.PKCS1v15())
        _, _, block, algorithm = CIPHERS[self._cipher_of(content)]
        iv = info["content_encryption_algorithm"]["parameters"].native
        decryptor = Cipher(algorithm(key), CBC(iv)).decryptor()
        padded = decryptor.update(info["encrypted_content"].native) + decryptor.finalize()
        unpadder = padding.PKCS7(block * 8).unpadder()
        return unpadder.update(padded) + unpadder.finalize()

    def _cipher_of(self, content: bytes) -> str:
        info = cms.ContentInfo.load(content)["content"]["encrypted_content_info"]
        oid = info["content_encryption_algorithm"]["algorithm"].dotted
        return next(name for name, row in CIPHERS.items() if row[0] == oid)


@dataclass
class Reply:
    status: str
    fail_info: str | None
    transaction_id: str
    recipient_nonce: bytes
    sender_nonce: bytes
    message_type: str
    certificates: list[x509.Certificate]
    outer: list[x509.Certificate]
    signature_oid: str
    cipher: str | None


def _load(choice) -> x509.Certificate:
    return x509.load_der_x509_certificate(choice.chosen.dump())


def _identifier(kind, certificate: x509.Certificate):
    parsed = asn1_x509.Certificate.load(der_of(certificate))
    value = {"issuer": parsed.issuer, "serial_number": parsed.serial_number}
    return kind(name="issuer_and_serial_number", value=value)


def _attribute(oid: str, value) -> bytes:
    return _tlv(0x30, core.ObjectIdentifier(oid).dump() + _tlv(0x31, value.dump()))


def _tlv(tag: int, contents: bytes) -> bytes:
    size = len(contents)
    if size < 0x80:
        return bytes((tag, size)) + contents
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + contents

"""SCEP's envelopes: EnvelopedData for one RSA recipient (RFC 5652 §6), weak ciphers too."""

from __future__ import annotations

import os

from asn1crypto import cms as asn1_cms
from asn1crypto import core as asn1_core
from cryptography import x509
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from . import der
from .cms import Identity, to_asn1
from .errors import SignatureInvalid

# name -> (content encryption OID, key bytes, block bytes)
CIPHERS = {
    "aes256": ("2.16.840.1.101.3.4.1.42", 32, 16),
    "aes128": ("2.16.840.1.101.3.4.1.2", 16, 16),
    "3des": ("1.2.840.113549.3.7", 24, 8),
    "des": ("1.3.14.3.2.7", 8, 8),
}


def _cipher(name: str, key: bytes, iv: bytes) -> Cipher[modes.CBC]:
    if name.startswith("aes"):
        return Cipher(algorithms.AES(key), modes.CBC(iv))
    # EDE with three equal keys is single DES
    return Cipher(TripleDES(key * 3 if len(key) == 8 else key), modes.CBC(iv))


def seal(content: bytes, recipient: x509.Certificate, *, cipher: str = "aes256") -> bytes:
    """DER EnvelopedData for one RSA recipient (issuer and serial, PKCS#1 v1.5)."""
    oid, key_size, block = CIPHERS[cipher]
    key, iv = os.urandom(key_size), os.urandom(block)
    padder = padding.PKCS7(block * 8).padder()
    encryptor = _cipher(cipher, key, iv).encryptor()
    padded = padder.update(content) + padder.finalize()
    encrypted = encryptor.update(padded) + encryptor.finalize()
    parsed = to_asn1(recipient)
    public_key = recipient.public_key()
    if not isinstance(public_key, rsa.RSAPublicKey):
        raise SignatureInvalid("SCEP can only encrypt to an RSA certificate")
    wrapped = public_key.encrypt(key, PKCS1v15())
    rid = der.encode(0x30, parsed.issuer.dump() + asn1_core.Integer(parsed.serial_number).dump())
    recipient_info = der.encode(
        0x30, b"\x02\x01\x00" + rid + der.RSA_ENCRYPTION + asn1_core.OctetString(wrapped).dump()
    )
    algorithm = der.encode(
        0x30, asn1_core.ObjectIdentifier(oid).dump() + asn1_core.OctetString(iv).dump()
    )
    encrypted_info = der.encode(0x30, der.DATA + algorithm + der.encode(0x80, encrypted))
    enveloped = der.encode(
        0x30, b"\x02\x01\x00" + der.encode(0x31, recipient_info) + encrypted_info
    )
    return der.encode(0x30, der.ENVELOPED_DATA + der.encode(0xA0, enveloped))


def unseal(message: bytes, identity: Identity) -> bytes:
    """Decrypt EnvelopedData meant for `identity`; raises SignatureInvalid."""
    try:
        info = asn1_cms.ContentInfo.load(message)
        if info["content_type"].native != "enveloped_data":
            raise SignatureInvalid("not EnvelopedData")
        enveloped = info["content"]
        recipient = enveloped["recipient_infos"][0].chosen
        wanted = to_asn1(identity.certificate)
        if recipient["rid"].chosen["serial_number"].native != wanted.serial_number:
            raise SignatureInvalid("the envelope is for someone else")
        key = identity.key.decrypt(recipient["encrypted_key"].native, PKCS1v15())
        encrypted = enveloped["encrypted_content_info"]
        algorithm = encrypted["content_encryption_algorithm"]
        oid = algorithm["algorithm"].dotted
        name = next((n for n, (known, _, _) in CIPHERS.items() if known == oid), None)
        if name is None:
            raise SignatureInvalid(f"cipher {oid} is not accepted")
        decryptor = _cipher(name, key, algorithm["parameters"].native).decryptor()
        padded = decryptor.update(encrypted["encrypted_content"].native) + decryptor.finalize()
        unpadder = padding.PKCS7(CIPHERS[name][2] * 8).unpadder()
        return unpadder.update(padded) + unpadder.finalize()
    except (ValueError, TypeError, IndexError) as error:
        raise SignatureInvalid(f"unreadable envelope: {error}") from error

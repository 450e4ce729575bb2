"""CMS EnvelopedData (RFC 5652 §6) for RSA recipients: AES-CBC and, for stragglers, 3DES."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives import padding as block_padding
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from core.pki import algorithms, ber, der, keys
from core.pki.certificates import CertificateView, view_of
from core.pki.errors import CmsError
from core.pki.signed_data import (
    DATA,
    read_algorithm,
    read_content_info,
    read_issuer_and_serial,
)

MAX_ENVELOPE = 4 * 1024 * 1024
DEFAULT_CIPHER = "aes-256-cbc"

_ENVELOPED_DATA = der.oid(algorithms.ENVELOPED_DATA)
_RSA_ENCRYPTION = der.oid(algorithms.RSA_ENCRYPTION)
_CIPHERS_BY_OID = {der.oid(dotted): cipher for dotted, cipher in algorithms.CIPHERS.items()}
_CIPHERS_BY_NAME = {
    name: (dotted, key_size, block)
    for dotted, (name, key_size, block) in algorithms.CIPHERS.items()
}


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody who can open envelopes: a certificate and its RSA key."""

    certificate: x509.Certificate
    key: rsa.RSAPrivateKey


@dataclass(frozen=True, slots=True)
class Envelope:
    """An EnvelopedData that was read but not opened.

    `wrapped_keys` pairs who each copy of the key is for (issuer and serial, or a subject key
    identifier) with the encrypted key.
    """

    wrapped_keys: tuple[tuple[tuple[bytes, bytes] | bytes, bytes], ...]
    cipher: str
    iv: bytes
    encrypted: bytes


def encrypt(
    content: bytes,
    *,
    recipient: x509.Certificate | CertificateView,
    cipher: str = DEFAULT_CIPHER,
) -> bytes:
    """DER EnvelopedData for one RSA recipient. Raises `CmsError` when its key is not usable."""
    view = recipient if isinstance(recipient, CertificateView) else view_of(recipient)
    public_key = view.public_key()
    if not isinstance(public_key, rsa.RSAPublicKey):
        raise CmsError("unsupported_algorithm", "the recipient's key is not RSA")
    oid, key_size, block = _CIPHERS_BY_NAME[cipher]
    key, iv = os.urandom(key_size), os.urandom(block)
    padder = block_padding.PKCS7(block * 8).padder()
    encryptor = _cipher(cipher, key, iv).encryptor()
    encrypted = encryptor.update(padder.update(content) + padder.finalize()) + encryptor.finalize()
    recipient_info = der.sequence(
        der.integer(0),
        der.sequence(view.issuer, der.element(ber.INTEGER, view.serial)),
        der.algorithm(algorithms.RSA_ENCRYPTION, der.null()),
        der.octet_string(public_key.encrypt(key, padding.PKCS1v15())),
    )
    encrypted_content = der.sequence(
        DATA,
        der.algorithm(oid, der.octet_string(iv)),
        der.context(0, encrypted, constructed=False),
    )
    enveloped = der.sequence(der.integer(0), der.set_of([recipient_info]), encrypted_content)
    return der.sequence(_ENVELOPED_DATA, der.context(0, enveloped))


def decrypt(
    message: bytes, *, recipients: Sequence[Recipient], max_size: int = MAX_ENVELOPE
) -> bytes:
    """Read and open an envelope. Raises `CmsError`, nothing else."""
    return open_envelope(read_envelope(message, max_size=max_size), recipients=recipients)


def read_envelope(message: bytes, *, max_size: int = MAX_ENVELOPE) -> Envelope:
    """Read an EnvelopedData in BER or DER. Raises `CmsError`.

    Single DES and everything else that is not offered is `unsupported_algorithm`.
    """
    if len(message) > max_size:
        raise CmsError("too_large", f"{len(message)} bytes")
    reader = ber.BerReader(message)
    fields = read_content_info(reader, _ENVELOPED_DATA)
    if fields and fields[-1].tag == 0xA1:  # unprotected attributes say nothing
        fields = fields[:-1]
    if len(fields) == 4 and fields[1].tag == 0xA0:  # originatorInfo
        del fields[1]
    if len(fields) != 3 or fields[1].tag != ber.SET:
        raise CmsError("malformed", "not an EnvelopedData")
    reader.integer(fields[0])
    wrapped = []
    for info in reader.children(fields[1]):
        if info.tag == ber.SEQUENCE:  # other kinds of recipients have context tags
            wrapped.append(_read_recipient(reader, info))
    cipher, iv, encrypted = _read_encrypted(reader, fields[2])
    return Envelope(tuple(wrapped), cipher, iv, encrypted)


def open_envelope(envelope: Envelope, *, recipients: Sequence[Recipient]) -> bytes:
    """Decrypt the content. Raises `CmsError`: `wrong_recipient` or `undecryptable`.

    Everything that goes wrong with the secret parts is `undecryptable`. A caller that answers to
    the network must give the same answer when the plain text then makes no sense, or it becomes
    a padding oracle.
    """
    _, key_size, block = _CIPHERS_BY_NAME[envelope.cipher]
    recipient, wrapped = find_recipient(envelope, recipients)
    try:
        key = recipient.key.decrypt(wrapped, padding.PKCS1v15())
    except keys.LIBRARY_ERRORS:
        key = b""
    if len(key) != key_size:
        # RFC 3218 §2.3.2: go on with a random key, so that a bad wrapping looks like bad content.
        key = os.urandom(key_size)
    try:
        decryptor = _cipher(envelope.cipher, key, envelope.iv).decryptor()
        padded = decryptor.update(envelope.encrypted) + decryptor.finalize()
        unpadder = block_padding.PKCS7(block * 8).unpadder()
        return unpadder.update(padded) + unpadder.finalize()
    except keys.LIBRARY_ERRORS as error:
        raise CmsError("undecryptable", "the envelope cannot be opened") from error


def find_recipient(envelope: Envelope, recipients: Sequence[Recipient]) -> tuple[Recipient, bytes]:
    """Which of ours the envelope is for, and that one's wrapped key. Raises `CmsError`."""
    for recipient in recipients:
        view = view_of(recipient.certificate)
        names = ((view.issuer, view.serial), view.subject_key_identifier())
        for name, wrapped in envelope.wrapped_keys:
            if name in names:
                return recipient, wrapped
    raise CmsError("wrong_recipient", "the envelope is for somebody else")


def _read_recipient(
    reader: ber.BerReader, info: ber.Element
) -> tuple[tuple[bytes, bytes] | bytes, bytes]:
    fields = reader.children(info)
    if len(fields) != 4:
        raise CmsError("malformed", "not a KeyTransRecipientInfo")
    reader.integer(fields[0])
    name: tuple[bytes, bytes] | bytes
    if fields[1].tag == ber.SEQUENCE:
        name = read_issuer_and_serial(reader, fields[1])
    else:
        name = reader.octets(fields[1], 0x80)
    if read_algorithm(reader, fields[2])[0] != _RSA_ENCRYPTION:
        raise CmsError("unsupported_algorithm", "key encryption other than RSA PKCS #1 v1.5")
    return name, reader.octets(fields[3])


def _read_encrypted(reader: ber.BerReader, element: ber.Element) -> tuple[str, bytes, bytes]:
    fields = reader.children(element) if element.tag == ber.SEQUENCE else []
    if len(fields) != 3 or reader.raw(fields[0]) != DATA:
        raise CmsError("malformed", "not an EncryptedContentInfo")
    oid, parameters = read_algorithm(reader, fields[1])
    if oid not in _CIPHERS_BY_OID:
        raise CmsError("unsupported_algorithm", "content encryption")
    name, _, block = _CIPHERS_BY_OID[oid]
    inner = ber.BerReader(parameters)
    iv = inner.octets(inner.root(ber.OCTET_STRING))
    encrypted = reader.octets(fields[2], 0x80)
    if len(iv) != block or not encrypted or len(encrypted) % block:
        raise CmsError("malformed", "not whole cipher blocks")
    return name, iv, encrypted


def _cipher(name: str, key: bytes, iv: bytes) -> Cipher[CBC]:
    algorithm = TripleDES(key) if name == "des-ede3-cbc" else AES(key)
    return Cipher(algorithm, CBC(iv))

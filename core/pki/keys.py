"""Private keys and the policy that says which public keys may be certified or trusted."""

from __future__ import annotations

import hashlib
from typing import TypeAlias

from cryptography import x509
from cryptography.exceptions import InternalError, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

from core.pki.errors import KeyPolicyError

PrivateKey: TypeAlias = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
PublicKey: TypeAlias = rsa.RSAPublicKey | ec.EllipticCurvePublicKey

MIN_RSA_BITS = 2048
MAX_RSA_BITS = 8192
_MIN_EXPONENT = 65_537
_MAX_EXPONENT = 2**32
_CURVES = frozenset({"secp256r1", "secp384r1", "secp521r1"})

# What cryptography raises for input that it cannot read or an algorithm that it does not offer.
LIBRARY_ERRORS = (
    ValueError,
    TypeError,
    OverflowError,
    UnsupportedAlgorithm,
    InternalError,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)


def generate_rsa(bits: int = 2048) -> rsa.RSAPrivateKey:
    if bits not in (2048, 3072, 4096):
        raise KeyPolicyError("weak_key", f"RSA keys have 2048, 3072 or 4096 bits, not {bits}")
    return rsa.generate_private_key(public_exponent=65_537, key_size=bits)


def generate_p256() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def dump_private(key: PrivateKey) -> bytes:
    """Unencrypted PKCS #8 DER: for `core.secrets.seal` and nowhere else."""
    return key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def load_private(data: bytes, *, is_trusted: bool = False) -> PrivateKey:
    """Read PKCS #8 DER. Raises `KeyPolicyError`.

    `is_trusted` skips the primality tests of an RSA key (90 ms for 3072 bits): only for bytes
    that we made ourselves and that nobody could have changed since.
    """
    try:
        key = serialization.load_der_private_key(
            data, password=None, unsafe_skip_rsa_key_validation=is_trusted
        )
    except LIBRARY_ERRORS as error:
        raise KeyPolicyError("malformed", "unreadable private key") from error
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise KeyPolicyError("unsupported_key", "neither an RSA nor an EC key")
    return key


def dump_public(key: PublicKey) -> bytes:
    return key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def load_public(data: bytes) -> PublicKeyTypes:
    try:
        return serialization.load_der_public_key(data)
    except LIBRARY_ERRORS as error:
        raise KeyPolicyError("malformed", "unreadable public key") from error


def public_key_sha256(key: PublicKey) -> str:
    """Hex SHA-256 of the SubjectPublicKeyInfo: names a key, whatever certificate it is in."""
    return hashlib.sha256(dump_public(key)).hexdigest()


def check_public_key(key: PublicKeyTypes, *, min_rsa_bits: int = MIN_RSA_BITS) -> PublicKey:
    """Return the key when the policy allows it, else raise `KeyPolicyError`.

    RSA from `min_rsa_bits` to 8192 bits with an odd exponent from 65537 to 2**32 (a larger one
    makes each verification expensive), or EC on P-256, P-384, P-521.
    """
    if isinstance(key, rsa.RSAPublicKey):
        if not min_rsa_bits <= key.key_size <= MAX_RSA_BITS:
            raise KeyPolicyError("weak_key", f"RSA key of {key.key_size} bits")
        exponent = key.public_numbers().e
        if not _MIN_EXPONENT <= exponent <= _MAX_EXPONENT or exponent % 2 == 0:
            raise KeyPolicyError("weak_key", "RSA public exponent out of range")
        return key
    if isinstance(key, ec.EllipticCurvePublicKey):
        if key.curve.name not in _CURVES:
            raise KeyPolicyError("weak_key", f"curve {key.curve.name}")
        return key
    raise KeyPolicyError("unsupported_key", "neither an RSA nor an EC key")

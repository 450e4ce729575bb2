from __future__ import annotations

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from core.pki import keys
from core.pki.errors import KeyPolicyError
from tests.pki_material import ec_key, rsa_key


def refusal(key, **options) -> str:
    with pytest.raises(KeyPolicyError) as caught:
        keys.check_public_key(key, **options)
    return caught.value.code


def rsa_public(bits: int, exponent: int) -> rsa.RSAPublicKey:
    modulus = (1 << (bits - 1)) | 0x10001
    return rsa.RSAPublicNumbers(exponent, modulus).public_key()


def test_it_accepts_the_keys_of_devices():
    for key in (rsa_key(), ec_key(), ec_key(curve="secp384r1")):
        assert keys.check_public_key(key.public_key()) == key.public_key()


@pytest.mark.parametrize("bits", [1024, 2047])
def test_it_refuses_short_rsa_keys(bits):
    assert refusal(rsa_public(bits, 65_537)) == "weak_key"


def test_it_refuses_rsa_keys_that_cost_too_much():
    assert refusal(rsa_public(16_384, 65_537)) == "weak_key"


@pytest.mark.parametrize("exponent", [3, 17, 2**32 + 1, 2**63 + 1])
def test_it_refuses_unusual_rsa_exponents(exponent):
    assert refusal(rsa_public(2048, exponent)) == "weak_key"


def test_it_refuses_weak_curves():
    assert refusal(ec_key(curve="secp224r1").public_key()) == "weak_key"
    assert refusal(ec.generate_private_key(ec.SECP256K1()).public_key()) == "weak_key"


def test_it_refuses_other_kinds_of_keys():
    assert refusal(ed25519.Ed25519PrivateKey.generate().public_key()) == "unsupported_key"


def test_it_never_generates_a_short_key():
    with pytest.raises(KeyPolicyError):
        keys.generate_rsa(1024)


def test_a_private_key_survives_storage():
    for key in (rsa_key(), ec_key()):
        loaded = keys.load_private(keys.dump_private(key))
        assert loaded.public_key() == key.public_key()


@pytest.mark.parametrize("data", [b"", b"\x30\x80", b"nonsense" * 50])
def test_an_unreadable_private_key_is_one_error(data):
    with pytest.raises(KeyPolicyError) as caught:
        keys.load_private(data)
    assert caught.value.code == "malformed"


@pytest.mark.openssl
def test_the_fingerprint_names_the_key_as_openssl_encodes_it(openssl):
    spki = openssl.run("pkey", "-in", "rsa.key", "-pubout", "-outform", "DER")
    fingerprint = keys.public_key_sha256(rsa_key("signer").public_key())
    assert fingerprint == hashlib.sha256(spki).hexdigest()

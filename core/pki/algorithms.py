"""Object identifiers of CMS, and which digests and signatures they stand for."""

from __future__ import annotations

from cryptography.hazmat.primitives import hashes

DATA = "1.2.840.113549.1.7.1"
SIGNED_DATA = "1.2.840.113549.1.7.2"
ENVELOPED_DATA = "1.2.840.113549.1.7.3"

CONTENT_TYPE = "1.2.840.113549.1.9.3"
MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
SIGNING_TIME = "1.2.840.113549.1.9.5"
SUBJECT_KEY_IDENTIFIER = "2.5.29.14"

RSA_ENCRYPTION = "1.2.840.113549.1.1.1"
EC_PUBLIC_KEY = "1.2.840.10045.2.1"

DIGEST_OIDS = {
    "sha1": "1.3.14.3.2.26",
    "sha256": "2.16.840.1.101.3.4.2.1",
    "sha384": "2.16.840.1.101.3.4.2.2",
    "sha512": "2.16.840.1.101.3.4.2.3",
}
HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha1": hashes.SHA1(),  # noqa: S303 - devices still sign their messages with it
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
ECDSA_OIDS = {
    "sha1": "1.2.840.10045.4.1",
    "sha256": "1.2.840.10045.4.3.2",
    "sha384": "1.2.840.10045.4.3.3",
    "sha512": "1.2.840.10045.4.3.4",
}
_RSA_OIDS = {
    "sha1": "1.2.840.113549.1.1.5",
    "sha256": "1.2.840.113549.1.1.11",
    "sha384": "1.2.840.113549.1.1.12",
    "sha512": "1.2.840.113549.1.1.13",
}

# Signature OID -> (key family, digest that it names, if it names one)
SIGNATURES: dict[str, tuple[str, str]] = {
    RSA_ENCRYPTION: ("rsa", ""),
    EC_PUBLIC_KEY: ("ec", ""),
    **{oid: ("rsa", digest) for digest, oid in _RSA_OIDS.items()},
    **{oid: ("ec", digest) for digest, oid in ECDSA_OIDS.items()},
}

# Content encryption OID -> (name, key bytes, block bytes)
CIPHERS = {
    "2.16.840.1.101.3.4.1.2": ("aes-128-cbc", 16, 16),
    "2.16.840.1.101.3.4.1.22": ("aes-192-cbc", 24, 16),
    "2.16.840.1.101.3.4.1.42": ("aes-256-cbc", 32, 16),
    "1.2.840.113549.3.7": ("des-ede3-cbc", 24, 8),
}

"""Countersigns signing requests with the vendor certificate of the server's operator, if any."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from apple.payloads import push_request
from core.models import StoredKey
from core.pki import keys as pki_keys


def is_configured() -> bool:
    return bool(
        settings.MUSTER_PUSH_VENDOR_KEY_FILE and settings.MUSTER_PUSH_VENDOR_CERTIFICATE_FILE
    )


def countersign(row: StoredKey) -> bytes:
    """Return the file that Apple's portal takes.

    Raises ImproperlyConfigured when the files that the settings name cannot be used.
    """
    try:
        key, chain = _read(
            settings.MUSTER_PUSH_VENDOR_KEY_FILE, settings.MUSTER_PUSH_VENDOR_CERTIFICATE_FILE
        )
        csr = str(row.data["csr"]).encode()
        return push_request.build(csr, vendor_key=key, vendor_chain=chain)
    except (OSError, *pki_keys.LIBRARY_ERRORS) as error:
        raise ImproperlyConfigured(
            "MUSTER_PUSH_VENDOR_KEY_FILE or MUSTER_PUSH_VENDOR_CERTIFICATE_FILE cannot be used:"
            f" {type(error).__name__}"
        ) from error


@lru_cache(maxsize=4)
def _read(key_file: str, chain_file: str) -> tuple[rsa.RSAPrivateKey, Sequence[x509.Certificate]]:
    key = serialization.load_pem_private_key(Path(key_file).read_bytes(), password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise TypeError("the vendor's key must be RSA")
    return key, x509.load_pem_x509_certificates(Path(chain_file).read_bytes())

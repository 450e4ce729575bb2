"""The TLS side of Apple's push service: our push certificate, their verified certificate."""

from __future__ import annotations

import os
import secrets
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa


@dataclass(frozen=True, slots=True)
class Credentials:
    """A push certificate with its key; `sha256` names it, the key never appears in a repr."""

    sha256: str
    certificate: x509.Certificate
    key: rsa.RSAPrivateKey = field(repr=False)
    chain: tuple[x509.Certificate, ...] = ()


def client_context(credentials: Credentials, *, ca_file: str = "") -> ssl.SSLContext:
    """Return a context that shows our certificate and trusts the system's roots, or `ca_file`.

    Raises OSError (which ssl.SSLError is) when the certificate or the trust file is unusable.
    """
    context = ssl.create_default_context(cafile=ca_file or None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    password = secrets.token_bytes(32)
    with _encrypted_pem(credentials, password) as path:
        context.load_cert_chain(path, password=password)
    return context


@contextmanager
def _encrypted_pem(credentials: Credentials, password: bytes) -> Iterator[Path]:
    # OpenSSL loads a client key from a file only: it is encrypted under a password that exists
    # in this process alone, and is gone before the first connection is made.
    pem = credentials.key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(password),
    )
    for certificate in (credentials.certificate, *credentials.chain):
        pem += certificate.public_bytes(serialization.Encoding.PEM)
    descriptor, name = tempfile.mkstemp(prefix="muster-push-")  # made with mode 0600
    path = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as handle:
            handle.write(pem)
        yield path
    finally:
        path.unlink(missing_ok=True)

"""Building and checking a certificate chain the way a device does, without revocation."""

from __future__ import annotations

import datetime
from collections.abc import Iterable

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from .errors import SignatureInvalid

MAX_DEPTH = 6


def build(
    leaf: x509.Certificate,
    pool: Iterable[x509.Certificate],
    *,
    at: datetime.datetime | None = None,
) -> list[x509.Certificate]:
    """Leaf to self-signed root, each link signed, in date and allowed to sign certificates.

    Raises SignatureInvalid when no complete chain can be made from `pool`.
    """
    moment = at or datetime.datetime.now(datetime.UTC)
    candidates = list(pool)
    chain = [leaf]
    _check_dates(leaf, moment)
    while not _issued(chain[-1], chain[-1]):
        issuer = next((c for c in candidates if c not in chain and _issued(chain[-1], c)), None)
        if issuer is None:
            raise SignatureInvalid(f"no issuer for {chain[-1].subject.rfc4514_string()!r}")
        if len(chain) >= MAX_DEPTH:
            raise SignatureInvalid("the chain is too long")
        _check_authority(issuer)
        _check_dates(issuer, moment)
        chain.append(issuer)
    return chain


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _check_authority(certificate: x509.Certificate) -> None:
    try:
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound as error:
        raise SignatureInvalid("an issuer is not marked as an authority") from error
    if not (constraints.ca and usage.key_cert_sign):
        raise SignatureInvalid("an issuer may not sign certificates")


def _check_dates(certificate: x509.Certificate, moment: datetime.datetime) -> None:
    if not certificate.not_valid_before_utc <= moment <= certificate.not_valid_after_utc:
        raise SignatureInvalid(f"{certificate.subject.rfc4514_string()!r} is not in date")

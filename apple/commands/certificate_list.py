"""CertificateList: the certificates that are installed, without their bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, ClassVar

from cryptography import x509

from apple.commands import base, reading
from apple.commands.base import DEVICE, USER, Availability, Command, Outcome, Target
from apple.protocol import fields

SECTION = "certificates"
MAX_CERTIFICATES = 1000
MAX_DER = 65_536
_MANAGED_ONLY_SINCE = {"iOS": (13,), "macOS": (10, 15)}


class CertificateList(Command):
    request_type = "CertificateList"
    availability: ClassVar[Mapping[str, Availability]] = {
        "iOS": Availability(since=(4,)),
        "macOS": Availability(since=(10, 7), channels=frozenset({DEVICE, USER})),
    }
    param_names = frozenset({"managed_only"})
    public_params = frozenset({"managed_only"})

    def keys(
        self, target: Target, params: Mapping[str, Any], secrets: Mapping[str, Any]
    ) -> dict[str, Any]:
        managed_only = base.boolean(params, "managed_only", default=False)
        if managed_only and target.has(_MANAGED_ONLY_SINCE):
            return {"ManagedOnly": True}
        return {}

    def parse(self, body: Mapping[str, Any]) -> Outcome:
        found = reading.section(body.get("CertificateList"), _certificate, MAX_CERTIFICATES)
        return Outcome(sections={SECTION: found})


def _certificate(item: object) -> dict[str, Any] | None:
    if not isinstance(item, dict):
        return None
    found = {
        "CommonName": fields.to_text(item.get("CommonName")),
        "IsIdentity": fields.to_boolean(item.get("IsIdentity")),
    }
    der = item.get("Data")
    if isinstance(der, bytes) and len(der) <= MAX_DER:
        found |= {"SHA256": hashlib.sha256(der).hexdigest()} | _described(der)
    return base.present(found)


def _described(der: bytes) -> dict[str, Any]:
    # Certificates on devices come from anywhere: one that cannot be parsed keeps its digest.
    try:
        certificate = x509.load_der_x509_certificate(der)
        return {
            "Issuer": fields.clean(certificate.issuer.rfc4514_string(), 500),
            "SerialNumber": f"{certificate.serial_number:x}"[:64],
            "NotBefore": certificate.not_valid_before_utc.isoformat(),
            "NotAfter": certificate.not_valid_after_utc.isoformat(),
        }
    except (ValueError, TypeError, OverflowError):
        return {}

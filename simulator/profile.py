"""An enrollment profile as the device sees it: signature first, then its payloads in order."""

from __future__ import annotations

import datetime
import plistlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from xml.parsers.expat import ExpatError

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from . import chain, cms, payloads
from .errors import CommandError, ProfileRejected, SignatureInvalid
from .payloads import MdmPayload, ScepPayload, need, require

CONTENT_TYPE = "application/x-apple-aspen-config"


@dataclass(frozen=True)
class Profile:
    """Any configuration profile with the top-level keys that a device keeps."""

    identifier: str
    uuid: str
    content: dict[str, Any]
    signers: tuple[x509.Certificate, ...]

    def entry(self) -> dict[str, Any]:
        """This profile's item in ProfileList."""
        top = self.content
        shown = ("PayloadType", "PayloadVersion", "PayloadIdentifier", "PayloadUUID")
        named = ("PayloadDisplayName", "PayloadDescription", "PayloadOrganization")
        entry: dict[str, Any] = {
            "PayloadUUID": self.uuid,
            "PayloadIdentifier": self.identifier,
            "PayloadVersion": top.get("PayloadVersion", 1),
            "PayloadRemovalDisallowed": top.get("PayloadRemovalDisallowed", False),
            "HasRemovalPasscode": False,
            "IsEncrypted": False,
            "SignerCertificates": [
                certificate.public_bytes(serialization.Encoding.DER) for certificate in self.signers
            ],
            "PayloadContent": [
                {key: payload[key] for key in (*shown, *named) if key in payload}
                for payload in top["PayloadContent"]
            ],
        }
        entry.update({key: top[key] for key in named if key in top})
        return entry


@dataclass(frozen=True)
class EnrollmentProfile(Profile):
    """A profile whose last payload is MDM."""

    roots: tuple[x509.Certificate, ...]
    scep: ScepPayload
    mdm: MdmPayload
    verified: bool  # whether the chain ends in a root that the device trusted beforehand


def open_signed(
    data: bytes,
    trusted_roots: Iterable[x509.Certificate] = (),
    now: datetime.datetime | None = None,
) -> tuple[bytes, tuple[x509.Certificate, ...], bool]:
    """The plist inside a signed profile, its chain, and whether the chain is trusted already.

    Raises ProfileRejected for an unsigned profile, a changed byte or an incomplete chain.
    """
    need(not data.lstrip().startswith(b"<"), "the profile is not signed")
    trusted = list(trusted_roots)
    try:
        signed = cms.verify_attached(data)
        path = chain.build(signed.signer, [*signed.certificates, *trusted], at=now)
    except SignatureInvalid as error:
        raise ProfileRejected(f"signature: {error}") from error
    return signed.content, tuple(path), path[-1] in trusted


def parse(xml: bytes) -> dict[str, Any]:
    """The top level of a configuration profile. Raises ProfileRejected."""
    try:
        top: dict[str, Any] = plistlib.loads(xml, fmt=plistlib.FMT_XML)
    except (plistlib.InvalidFileException, ExpatError, ValueError, OverflowError) as error:
        raise ProfileRejected(f"unreadable plist: {error}") from error
    need(isinstance(top, dict), "the profile is not a dictionary")
    need(top.get("PayloadType") == "Configuration", "PayloadType is not Configuration")
    need(top.get("PayloadVersion") == 1, "PayloadVersion is not 1")
    require(top, "PayloadIdentifier", str)
    require(top, "PayloadUUID", str)
    items = require(top, "PayloadContent", list)
    need(items, "the profile is empty")
    uuids = [top["PayloadUUID"]]
    for item in items:
        need(isinstance(item, dict), "a payload is not a dictionary")
        for key, kind in (("PayloadType", str), ("PayloadIdentifier", str), ("PayloadUUID", str)):
            require(item, key, kind)
        need(item.get("PayloadVersion") == 1, f"{item['PayloadType']}: PayloadVersion is not 1")
        uuids.append(item["PayloadUUID"])
    need(len(set(uuids)) == len(uuids), "a PayloadUUID is used twice")
    return top


def read_enrollment(
    data: bytes,
    *,
    trusted_roots: Iterable[x509.Certificate] = (),
    now: datetime.datetime | None = None,
    system_scope: bool = False,
) -> EnrollmentProfile:
    """Verify and read a signed enrollment profile: roots, then SCEP, then MDM.

    `system_scope` is what a Mac insists on. Raises ProfileRejected.
    """
    xml, path, verified = open_signed(data, trusted_roots, now)
    return from_plist(parse(xml), signers=path, verified=verified, system_scope=system_scope)


def has_mdm(top: dict[str, Any]) -> bool:
    return any(item["PayloadType"] == payloads.MDM for item in top["PayloadContent"])


def from_plist(
    top: dict[str, Any],
    *,
    signers: tuple[x509.Certificate, ...] = (),
    verified: bool = False,
    system_scope: bool = False,
) -> EnrollmentProfile:
    """Read the payloads of an already verified enrollment profile in their order."""
    if system_scope:
        need(top.get("PayloadScope") == "System", "PayloadScope is not System")
    roots: list[x509.Certificate] = []
    identities: dict[str, ScepPayload] = {}
    mdm: MdmPayload | None = None
    for item in top["PayloadContent"]:
        kind = item["PayloadType"]
        need(mdm is None, f"{kind} comes after the MDM payload")
        if kind in payloads.ROOTS:
            need(not identities, "a root certificate comes after the identity that needs it")
            roots.append(payloads.read_root(item))
        elif kind == payloads.SCEP:
            identities[item["PayloadUUID"]] = ScepPayload.read(item)
        elif kind == payloads.MDM:
            mdm = MdmPayload.read(item)
        else:
            raise ProfileRejected(f"{kind} does not belong into an enrollment profile")
    if mdm is None:
        raise ProfileRejected("there is no MDM payload")
    need(len(identities) == 1, "there is not exactly one identity")
    need(mdm.identity_uuid in identities, "IdentityCertificateUUID names no identity")
    return EnrollmentProfile(
        identifier=top["PayloadIdentifier"],
        uuid=top["PayloadUUID"],
        content=top,
        signers=signers,
        roots=tuple(roots),
        scep=identities[mdm.identity_uuid],
        mdm=mdm,
        verified=verified,
    )


def check_replacement(old: EnrollmentProfile, new: EnrollmentProfile) -> None:
    """What may not change when an MDM payload is replaced; raises CommandError 12009."""
    before, after = old.mdm, new.mdm
    problems = {
        "PayloadIdentifier": old.identifier != new.identifier,
        "Topic": before.topic != after.topic,
        "ServerURL": before.server_url != after.server_url,
        "CheckInURL": before.check_in_url != after.check_in_url,
        "AccessRights": after.access_rights & ~before.access_rights != 0,
        "ServerCapabilities": (payloads.PER_USER in before.capabilities)
        != (payloads.PER_USER in after.capabilities),
    }
    changed = [name for name, is_changed in problems.items() if is_changed]
    if changed:
        text = f"The MDM payload may not be replaced: {', '.join(changed)} changed."
        raise CommandError(12009, "MCMDMErrorDomain", text)

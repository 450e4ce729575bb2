"""The enrollment profile: what a person installs to put an Apple device under management."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from apple.payloads import certificate, mdm, scep
from apple.payloads.base import PayloadError, common, text
from apple.protocol import plist

CONTENT_TYPE = "application/x-apple-aspen-config"
CONSENT_LIMIT = 4000
DESCRIPTION_LIMIT = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileTexts:
    """What the person reads; translated by the caller. `consent` maps "default" or a language."""

    profile_name: str
    description: str
    organization: str
    identity_name: str
    certificate_name: str
    management_name: str
    consent: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrollmentProfile:
    """Everything that one enrollment profile depends on.

    `profile_uuid` is new for every issued profile, so that installing an update runs SCEP again;
    identifiers hang on the tenant alone, so that an update replaces what is there. `trust` lists
    the DER certificates, roots first, that a device needs to reach a server with a private TLS
    chain. The identity CA is pinned by its fingerprint and never made a trust anchor: it must not
    be able to speak for web sites.
    """

    tenant_id: uuid.UUID
    profile_uuid: uuid.UUID
    texts: ProfileTexts
    is_mac: bool
    server_url: str
    checkin_url: str
    scep_url: str
    challenge: str
    topic: str
    identity_ca: bytes
    trust: Sequence[bytes] = ()
    common_name: str = ""


def identifier(tenant_id: uuid.UUID) -> str:
    """Return the top-level PayloadIdentifier of every enrollment profile of a tenant.

    RemoveProfile names it to end management, so it must never change.
    """
    return f"muster.{tenant_id}.enrollment"


def build(profile: EnrollmentProfile) -> bytes:
    """Return the unsigned profile as XML; equal input gives equal bytes.

    Raises PayloadError for anything that a device would refuse.
    """
    texts = profile.texts
    content = _certificates(profile)
    identity = _identity(profile)
    content.append(identity)
    content.append(
        mdm.build(
            server_url=profile.server_url,
            checkin_url=profile.checkin_url,
            topic=profile.topic,
            identity_uuid=uuid.UUID(identity["PayloadUUID"]),
            identifier=_name(profile, "mdm"),
            payload_uuid=_uuid(profile, "mdm"),
            display_name=texts.management_name,
        )
    )
    return plist.write(_top_level(profile, content))


def _certificates(profile: EnrollmentProfile) -> list[dict[str, Any]]:
    return [
        certificate.build(
            der=der,
            identifier=_name(profile, f"certificate.{index}"),
            payload_uuid=_uuid(profile, f"certificate.{index}"),
            display_name=profile.texts.certificate_name,
        )
        for index, der in enumerate(dict.fromkeys(profile.trust))
    ]


def _identity(profile: EnrollmentProfile) -> dict[str, Any]:
    return scep.build(
        server_url=profile.scep_url,
        challenge=profile.challenge,
        ca_der=profile.identity_ca,
        organization=profile.texts.organization,
        common_name=profile.common_name or str(profile.profile_uuid),
        is_mac=profile.is_mac,
        identifier=_name(profile, "identity"),
        payload_uuid=_uuid(profile, "identity"),
        display_name=profile.texts.identity_name,
    )


def _top_level(profile: EnrollmentProfile, content: list[dict[str, Any]]) -> dict[str, Any]:
    texts = profile.texts
    top = common(
        payload_type="Configuration",
        identifier=identifier(profile.tenant_id),
        payload_uuid=profile.profile_uuid,
        display_name=texts.profile_name,
    )
    top |= {
        "PayloadOrganization": text("organization", texts.organization),
        "PayloadDescription": _paragraph("description", texts.description, DESCRIPTION_LIMIT),
        "PayloadContent": content,
    }
    if profile.is_mac:
        top["PayloadScope"] = "System"
    if texts.consent:
        if "default" not in texts.consent:
            raise PayloadError("the consent text needs a default")
        top["ConsentText"] = {
            language: _paragraph("consent text", words, CONSENT_LIMIT)
            for language, words in texts.consent.items()
        }
    return top


def _paragraph(name: str, value: str, limit: int) -> str:
    if len(value) > limit or any(ord(char) < 32 and char != "\n" for char in value):
        raise PayloadError(f"{name} must be text of at most {limit} characters")
    return value


def _name(profile: EnrollmentProfile, part: str) -> str:
    return f"{identifier(profile.tenant_id)}.{part}"


def _uuid(profile: EnrollmentProfile, part: str) -> uuid.UUID:
    return uuid.uuid5(profile.profile_uuid, part)

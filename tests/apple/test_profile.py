"""The enrollment profile, byte for byte and key for key."""

from __future__ import annotations

import dataclasses
import hashlib
import uuid
from pathlib import Path
from typing import Any

import pytest

from apple import profile as enrollment_profile
from apple.payloads.base import PayloadError
from apple.profile import EnrollmentProfile, ProfileTexts
from apple.protocol import plist
from tests.apple import messages, schema

GOLDEN = Path(__file__).parent / "golden"
TENANT = uuid.UUID("01890a5d-ac96-774b-bcce-b302099a8057")
TEXTS = ProfileTexts(
    profile_name="Example Ltd management",
    description="Lets Example Ltd manage this device.",
    organization="Example Ltd",
    identity_name="Device identity",
    certificate_name="Example Ltd certificate",
    management_name="Example Ltd management",
    consent={"default": "Example Ltd will manage this device.\nYou can leave.", "fr": "Oui ?"},
)
EXAMPLE = EnrollmentProfile(
    tenant_id=TENANT,
    profile_uuid=uuid.UUID("01890a5d-ac96-774b-bcce-000000000001"),
    texts=TEXTS,
    is_mac=False,
    server_url="https://mdm.example.com/mdm/apple/connect",
    checkin_url="https://mdm.example.com/mdm/apple/checkin",
    scep_url="https://mdm.example.com/mdm/apple/scep/example",
    challenge="3q2-7wAAAAAAAAAAAAAAAA",
    topic=messages.TOPIC,
    identity_ca=b"stands for the DER of a CA certificate",
)


def change(**values: Any) -> EnrollmentProfile:
    return dataclasses.replace(EXAMPLE, **values)


def read(profile: EnrollmentProfile) -> dict[str, Any]:
    return plist.read(enrollment_profile.build(profile), limit=100_000)


def payloads(profile: EnrollmentProfile) -> dict[str, dict[str, Any]]:
    return {payload["PayloadType"]: payload for payload in read(profile)["PayloadContent"]}


def test_the_profile_of_a_phone_is_the_golden_one() -> None:
    assert enrollment_profile.build(EXAMPLE) == (GOLDEN / "enrollment-ios.xml").read_bytes()


def test_the_profile_of_a_mac_is_the_golden_one() -> None:
    built = enrollment_profile.build(change(is_mac=True))
    assert built == (GOLDEN / "enrollment-macos.xml").read_bytes()


@pytest.mark.schema
@pytest.mark.parametrize("system", ["iOS", "macOS"])
def test_the_profile_follows_apples_schema(
    system: str, any_certificate: bytes, issued_certificate: bytes
) -> None:
    profile = read(change(is_mac=system == "macOS", trust=[any_certificate, issued_certificate]))
    assert schema.profile_problems(profile, system=system) == []


def test_the_first_profile_is_for_ever() -> None:
    mdm = payloads(EXAMPLE)["com.apple.mdm"]
    assert mdm["AccessRights"] == 8191
    assert mdm["SignMessage"] is True
    assert mdm["CheckOutWhenRemoved"] is True
    assert mdm["ServerCapabilities"] == [
        "com.apple.mdm.per-user-connections",
        "com.apple.mdm.bootstraptoken",
    ]
    assert (mdm["ServerURL"], mdm["CheckInURL"]) == (EXAMPLE.server_url, EXAMPLE.checkin_url)


def test_the_identity_is_made_by_scep_with_a_strong_key() -> None:
    found = payloads(EXAMPLE)
    scep = found["com.apple.security.scep"]
    content = scep["PayloadContent"]
    assert found["com.apple.mdm"]["IdentityCertificateUUID"] == scep["PayloadUUID"]
    assert (content["Keysize"], content["Key Type"], content["Key Usage"]) == (2048, "RSA", 5)
    assert content["Challenge"] == EXAMPLE.challenge
    fingerprint = hashlib.sha1(EXAMPLE.identity_ca, usedforsecurity=False).digest()
    assert content["CAFingerprint"] == fingerprint
    assert "KeyIsExtractable" not in content


def test_a_mac_keeps_its_key_and_installs_for_the_whole_system() -> None:
    profile = change(is_mac=True)
    content = payloads(profile)["com.apple.security.scep"]["PayloadContent"]
    assert content["KeyIsExtractable"] is False
    assert read(profile)["PayloadScope"] == "System"
    assert "PayloadScope" not in read(EXAMPLE)


def test_the_identity_ca_is_never_a_trust_anchor() -> None:
    assert set(payloads(EXAMPLE)) == {"com.apple.security.scep", "com.apple.mdm"}


def test_certificates_come_first_and_roots_are_told_from_others(
    any_certificate: bytes, issued_certificate: bytes
) -> None:
    trust = [any_certificate, issued_certificate, any_certificate]
    kinds = [payload["PayloadType"] for payload in read(change(trust=trust))["PayloadContent"]]
    assert kinds == [
        "com.apple.security.root",
        "com.apple.security.pkcs1",
        "com.apple.security.scep",
        "com.apple.mdm",
    ]


def test_a_new_profile_replaces_the_old_one_and_makes_a_new_identity() -> None:
    first, second = read(EXAMPLE), read(change(profile_uuid=uuid.uuid4()))
    assert first["PayloadIdentifier"] == second["PayloadIdentifier"]
    assert first["PayloadIdentifier"] == enrollment_profile.identifier(TENANT)
    assert first["PayloadUUID"] != second["PayloadUUID"]
    for old, new in zip(first["PayloadContent"], second["PayloadContent"], strict=True):
        assert old["PayloadIdentifier"] == new["PayloadIdentifier"]
        assert old["PayloadUUID"] != new["PayloadUUID"]


def test_no_two_payloads_share_an_identifier_or_a_uuid(any_certificate: bytes) -> None:
    profile = read(change(trust=[any_certificate]))
    content = [profile, *profile["PayloadContent"]]
    assert len({payload["PayloadIdentifier"] for payload in content}) == len(content)
    assert len({payload["PayloadUUID"] for payload in content}) == len(content)


def test_a_server_on_this_machine_may_speak_plain_http() -> None:
    for host in ("127.0.0.1:8000", "localhost:8000", "[::1]:8000"):
        read(change(server_url=f"http://{host}/mdm/apple/connect"))


@pytest.mark.parametrize(
    "values",
    [
        {"server_url": "http://mdm.example.com/mdm/apple/connect"},
        {"server_url": "http://127.0.0.1.example.com/"},
        {"checkin_url": "ftp://mdm.example.com/"},
        {"checkin_url": "https://"},
        {"scep_url": "https://user:password@mdm.example.com/"},
        {"scep_url": "https://mdm.example.com:99999/"},
        {"scep_url": "javascript:alert(1)"},
        {"topic": "com.example.app"},
        {"topic": "com.apple.mgmt."},
        {"challenge": ""},
        {"common_name": "x" * 65},
        {"trust": [b"no certificate"]},
        {"texts": dataclasses.replace(TEXTS, organization="")},
        {"texts": dataclasses.replace(TEXTS, profile_name="two\nlines")},
        {"texts": dataclasses.replace(TEXTS, description="x" * 1001)},
        {"texts": dataclasses.replace(TEXTS, consent={"fr": "sans default"})},
        {"texts": dataclasses.replace(TEXTS, consent={"default": "bell \x07"})},
    ],
)
def test_what_no_device_would_accept_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(PayloadError):
        enrollment_profile.build(change(**values))


def test_hostile_names_stay_text() -> None:
    name = "</string><key>PayloadRemovalDisallowed</key><true/><string>&amp; {0.__class__}"
    profile = read(change(texts=dataclasses.replace(TEXTS, organization=name)))
    assert profile["PayloadOrganization"] == name
    assert "PayloadRemovalDisallowed" not in profile
